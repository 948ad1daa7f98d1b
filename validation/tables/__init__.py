"""Reviewed facts of validation: thresholds and reference values."""
