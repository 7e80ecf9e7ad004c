"""Telegram in: takes updates durably, sends the workers doorbells, answers what needs no agent. Nothing here thinks."""
