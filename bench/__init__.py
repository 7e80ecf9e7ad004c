"""Measurements beside peers: the same stand-ins for Telegram and the model, the same machine, runs interleaved."""
