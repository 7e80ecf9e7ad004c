"""What a worker asks of the bots that it serves, where ``COHORT_BOTS`` names several."""

from collections.abc import Mapping
from typing import Protocol

from tasks.config.settings import Settings
from tasks.operator_files.bots_file import BotEntry
from tasks.session import SessionKey
from workers.interfaces import MediaSource


class BotsOfTurns(Protocol):
    """The bots as the runtime sees them."""

    def settings(self, bot: int) -> Settings:
        """Those of the deployment, with the bot's over them."""
        ...

    def media(self, session: SessionKey) -> MediaSource:
        """The files of the session's bot: a file's id is good for the bot that was given it."""
        ...

    def entries(self) -> Mapping[int, BotEntry]:
        """All of them, by their numbers."""
        ...

    def entry(self, session: SessionKey) -> BotEntry:
        """The session's bot as the file describes it."""
        ...
