"""What a process of the bot says of itself: one shape, for the process that writes it and for all that read it."""

from tasks.status.worker import ProcessStatus, Sends


class BotStatus(ProcessStatus):
    """The facts of one process of the bot."""

    at: float = 0.0
    """When it said so, seconds since the epoch."""
    bot: int = 0
    """The bot's id."""
    name: str = ""
    """In ``COHORT_BOTS``; "" where there is no such file."""
    username: str = ""
    host: str = "?"
    pid: int = 0
    mode: str = "polling"
    """Or ``webhook``."""
    leads: bool = False
    """It holds the lease: it polls, and sends the bot's own lines."""
    polled_at: float | None = None
    """When its last poll ended (webhook: when the last update came)."""
    sends: Sends = Sends()
