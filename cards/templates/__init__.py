"""Templates of what readers are told."""
