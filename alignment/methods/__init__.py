"""The methods: each fits itself to a subject and gives the condition under which that subject's answers are made.

Nothing here imports torch; a respondent is handed in.
"""
