"""A model behind an HTTP interface (the protocol of OpenAI's chat completions) as a respondent, without torch."""
