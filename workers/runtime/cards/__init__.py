"""Agent cards: read, checked, explained; the agents that they describe."""
