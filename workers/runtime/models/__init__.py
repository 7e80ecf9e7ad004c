"""Which agent and model answer a turn, how a model is switched, and when a provider is left alone."""
