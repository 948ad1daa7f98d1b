"""The raw files: found, recognised, read byte for byte, and checked against each other."""
