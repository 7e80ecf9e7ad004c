"""What people see of a session's running turn: its own text, or still that of an earlier owner's try."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tasks.session import SessionKey
from tasks.store.sessions import Commit
from workers.sessions.ownership.apologies import Apologies
from workers.sessions.planning.state_view import StateView
from workers.showing import NO_TRACE


def _nothing() -> None:
    """Nothing of an earlier try is known to stand on the screen."""


class SeenText(StateView):
    """The messages that show a turn, and the words in them."""

    def __init__(self, session: SessionKey, state: Mapping[str, bytes]) -> None:
        super().__init__(session, state)
        self.live: tuple[int, ...] = self.shown_in
        """The messages that show the running turn, in order."""
        self.inherited = self.live[-1:]
        """The message in which a turn of an earlier owner grew, if that turn never ended."""
        self._shown: list[str] = []
        self._kept = self.drafted
        """What a try that broke had shown, while this one has shown less."""
        self._inherits_draft = bool(self._kept)
        self._grew: Callable[[], None] = _nothing
        self.trace = NO_TRACE
        """How the turn came about that was cancelled here, as far as it stays."""
        self._taken = ""
        """What the runtime took back last: of a call that broke, if nothing comes behind it."""
        self._stands: Callable[[], str | None] = _nothing
        self.apologies = Apologies()

    @property
    def shown(self) -> str:
        """The text of the running turn, as far as this try has shown it."""
        return "".join(self._shown)

    @property
    def shows_unknown(self) -> bool:
        """Whether the screen shows words of an earlier owner's try: this one has said nothing, or less."""
        inherited = bool(self.live) and self.live[-1:] == self.inherited and not self._inherits_draft
        return inherited and (self._stands() is not None or not self._shown)

    def shows_own(self, stream: str) -> bool:
        """Whether people see what is ``kept``; a draft fades, so its words are sent again (``stream``: the setting)."""
        return not self.shows_unknown and (bool(self.live) or stream == "draft" or self._inherits_draft)

    @property
    def seen(self) -> str:
        """The words that people see, as far as they are known."""
        return (self._stands() if self.shows_unknown else None) or self.kept

    @property
    def kept(self) -> str:
        """The text of the running turn as it stands: of this try, or of one that broke and had shown more."""
        return max(self.shown, self._kept, key=len)

    @property
    def said_most(self) -> str:
        """The same of a try that has broken: its last call's words were taken back with it."""
        return max(self.kept, self._taken, key=len)

    def watch(self, stands: Callable[[], str | None]) -> None:
        """Learn from now on whether an earlier try's words stand on the screen, and which (``LiveAnswer.stands``)."""
        self._stands = stands

    @property
    def inherits_draft(self) -> bool:
        """Whether an earlier owner's try showed a draft, whose words are ``kept``: they were seen, and are to stay."""
        return self._inherits_draft

    def grows(self, told: Callable[[], None]) -> None:
        """Have ``told`` called from now on whenever the text of the running turn is another one."""
        self._grew = told

    def at_once(self, commit: Commit) -> Commit:
        """With an edit of the ``inherited`` message behind the messages that are new: it is confirmed only when no
        frame of the dead worker can come any more, and they would wait for that.
        """
        late = tuple(reply for reply in commit.replies if reply.edit is not None and (reply.edit,) == self.inherited)
        return replace(commit, replies=(*(one for one in commit.replies if one not in late), *late))

    def shows_nothing(self) -> None:
        """The turn has ended. What it showed is held no more: it holds this session."""
        self.live, self._stands, self._grew = (), _nothing, _nothing
        self._kept, self._inherits_draft, self.trace = "", False, NO_TRACE
        self.show("")

    def begin_again(self) -> None:
        """The turn is tried again. What it has shown stays until as much is shown again."""
        self._kept = self.said_most
        self.show("")

    def take_back(self, text: str) -> None:
        """The text is only this again; what else was shown was wrong, unless the turn ends with it."""
        self._taken = self.shown
        self._shown = [text] if text else []

    def goes_on(self) -> None:
        """What was taken back last was wrong."""
        self._taken = ""

    def show(self, text: str) -> None:
        """Set the text of the running turn."""
        self._shown, self._taken = [text] if text else [], ""
        self._grew()

    def show_more(self, text: str) -> None:
        """Append to the text of the running turn."""
        self._shown.append(text)
        self._grew()
