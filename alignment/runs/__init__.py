"""Runs: methods on a model over the subjects of a split, shared among processes, resumable, in one folder."""
