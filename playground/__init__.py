"""A local Bot API server with a chat page, for keyless use, tests and benchmarks."""

BOT = 1000000001
"""The user id of the playground's bot, which its token begins with."""
PLAYGROUND_TOKEN = f"{BOT}:for-the-playgrounds-of-tests"
"""The token where a test makes the playground; one that is started as a program makes up its own."""

__all__ = ["BOT", "PLAYGROUND_TOKEN"]
