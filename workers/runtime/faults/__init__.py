"""Faults of models: what they mean and who must act (pure)."""
