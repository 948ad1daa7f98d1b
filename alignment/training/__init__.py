"""What is learnt with a gradient: adapters trained on one answer token. Torch is imported here; import it late."""
