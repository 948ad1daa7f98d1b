"""Reviewed facts of alignment: prompts, published numbers."""
