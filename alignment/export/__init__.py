"""What a run found of a subject as a model that one can serve. Torch is imported here; import this package late."""

from alignment.export.vectors import load_vectors, steered_by

__all__ = ["load_vectors", "steered_by"]
