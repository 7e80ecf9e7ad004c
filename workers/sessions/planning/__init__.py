"""What a session does next, decided from its state and its inbox (pure but for the clock)."""
