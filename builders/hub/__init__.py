"""Publishing on the Hugging Face Hub: one commit, read back, one tag; what is there, verified and listed."""
