"""Durable turns: the steps of a turn are kept while it runs, and an heir goes on where it was."""
