"""The version of the code; a release's own version is that of its data (see its manifest)."""

__version__ = "0.1.0"
