"""A local Bot API server with a chat page, for keyless use, tests and benchmarks."""

PLAYGROUND_TOKEN = "1000000001:playground-has-no-secrets"  # noqa: S105 - works on this machine's loopback only
"""The token of the playground's bot. Its number is the bot's user id."""

__all__ = ["PLAYGROUND_TOKEN"]
