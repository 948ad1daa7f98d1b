"""The figures of a release's card: what they show is measured from its tables and manifest, and drawn as PNG."""

from cards.figures.writing import Figure, write_figures

__all__ = ["Figure", "write_figures"]
