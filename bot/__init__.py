"""Telegram in: takes updates durably, rings for the workers, answers what needs no agent. Nothing here thinks."""
