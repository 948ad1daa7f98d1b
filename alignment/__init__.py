"""Models that answer as a given person would. The only package that imports torch, and only in two of its rooms.

`benchmark` reads subjects and their items from a release, `prompts` the texts. `methods` fit themselves to a subject, a
`respondent` asks a model, `runs` do that for a whole split into a folder, `report` measures what lies there. `pocket`
is a small respondent that comes with the project.
"""
