"""What a process of the bot says of itself: one shape, for the process that writes it and for all that read it."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.worker_status import Sends


class BotStatus(BaseModel):
    """The facts of one process. Each field has a default: the process may be of another release."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: float = 0.0
    """When it said so, seconds since the epoch."""
    bot: int = 0
    """The bot's id."""
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

    @classmethod
    def from_json(cls, said: bytes) -> Self:
        """Read it; what cannot be read says nothing."""
        try:
            return cls.model_validate_json(said)
        except ValidationError:
            return cls()
