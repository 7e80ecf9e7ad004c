"""One apology for several messages that waited, and fail for one reason: the newest takes the place of those before."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.envelope import Inbound, Reply


@dataclass(slots=True)
class _Apology:
    words: str
    messages: Sequence[Inbound]
    """Whose turns failed so."""
    answers: tuple[int, ...]
    shown: int | None = None
    """The message that says it, once it is delivered."""

    def covering(self, words: str, messages: Sequence[Inbound]) -> int | None:
        """The message that says it, if it says this of messages that its person had written before it was there."""
        same = words == self.words and {one.person for one in messages} == {one.person for one in self.messages}
        if not same or self.shown is None:
            return None
        waited = all(one.message_id is not None and one.message_id < self.shown for one in messages)
        return self.shown if waited else None


class Apologies:
    """The last apology of a claim."""

    def __init__(self) -> None:
        self._last: _Apology | None = None

    def forget(self) -> None:
        """Something else was said behind it."""
        self._last = None

    def once(
        self, words: str, messages: Sequence[Inbound], replies: tuple[Reply, ...]
    ) -> tuple[tuple[Reply, ...], tuple[Inbound, ...]]:
        """An apology, said once.

        Args:
            words: What it says, without its reference.
            messages: Whose turn failed.
            replies: How it is said.

        Returns:
            The same, in place of an earlier one that says it of messages before these; and those messages.
        """
        last, self._last = self._last, None
        if len(replies) != 1:
            return replies, ()
        (said,) = replies
        before: tuple[Inbound, ...] = ()
        if last is not None and (stands := last.covering(words, messages)) is not None:
            said = said.model_copy(update={"drops": (*said.drops, stands)})
            before = tuple(last.messages)
        self._last = _Apology(words, (*before, *messages), said.answers)
        return (said,), before

    def shown(self, reply: Reply, ids: Sequence[int]) -> None:
        """A reply was delivered as these messages."""
        if self._last is not None and ids and reply.answers == self._last.answers:
            self._last.shown = ids[-1]
