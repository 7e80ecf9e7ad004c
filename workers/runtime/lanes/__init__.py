"""Lanes: warm agent instances, who gets the next one, and how one is reset after a turn."""
