"""Reviewed facts of the builders: sources, layouts, names."""
