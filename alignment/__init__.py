"""Models that answer as a given person would. The only package that imports torch.

The engine (respondent, steering, methods, runs, reports) is the next stage of the project; releases already carry what
it needs: given and held-out items (`papi.subjects`) and the model of simulated people (`papi.people`).
"""
