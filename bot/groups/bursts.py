"""What an app sends in a group right behind a message to the bot: it names no one, and belongs to that message."""

from datetime import timedelta

from bot.updates.meaning import Incoming
from tasks.bounded_dict import BoundedDict
from tasks.bursts import NEAR_S, goes_on

_REMEMBERED = 1_000


class GroupBursts:
    """The last message that the bot attends to of each person in each session: what goes on with it names no bot."""

    def __init__(self, quiet: timedelta) -> None:
        """``quiet``: ``COHORT_BURST``; without one nothing belongs together."""
        self._on = quiet > timedelta(0)
        self._last = BoundedDict[tuple[str, str | None], Incoming](_REMEMBERED)

    def note(self, heard: Incoming) -> None:
        """The bot attends to this."""
        if self._on and heard.inbound.kind == "message" and heard.inbound.key.chat < 0:
            self._last[_whose(heard)] = heard

    def has(self, heard: Incoming) -> bool:
        """Whether a message that is not meant for the bot goes on with one that is."""
        last = self._last.get(_whose(heard))
        # Telegram's own times, too: what waited while the bot was away comes all at once.
        if last is None or abs(heard.sent - last.sent) > NEAR_S or heard.update_id < last.update_id:
            return False
        album = heard.inbound.album
        return goes_on(last.inbound, heard.inbound) or (album is not None and album == last.inbound.album)


def _whose(heard: Incoming) -> tuple[str, str | None]:
    return heard.inbound.session, str(heard.inbound.person)
