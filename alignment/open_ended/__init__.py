"""Open questions: what a model writes under a method, and how well judges find that it fits the person."""
