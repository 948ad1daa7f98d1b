"""A transformers model as somebody who answers a questionnaire. Torch is imported here; import this package late."""
