"""Files of a turn on their way to its model: their share of memory, their contents, what recordings say."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from fast_agent.types import PromptMessageExtended

from tasks import session_files
from tasks.config.settings import Settings
from tasks.envelope import Media
from tasks.errors import Retryable
from workers import audio_server
from workers.interfaces import MediaSource, Sink, TurnRequest
from workers.many_bots import BotsOfTurns
from workers.runtime.conversation import content
from workers.runtime.conversation.documents import DocumentReader
from workers.runtime.conversation.file_budget import FILES_A_TURN, FileBudget
from workers.runtime.conversation.hearing import Hearing, Transcriber
from workers.runtime.conversation.past_files import with_files
from workers.runtime.conversation.sounds import SoundConverter
from workers.runtime.conversation.weighing import Opens
from workers.runtime.faults import classify as faults
from workers.runtime.lanes.fair_queue import TurnParties

type Past = tuple[Sequence[PromptMessageExtended], PromptMessageExtended | None]
"""What a turn reads before its message, and the message that a retry takes from the history."""

_SHOWN = 2_000
"""Characters of what was heard that the user sees: what a quote takes, an answer does not have."""


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """What one turn may open."""

    new: content.ModelFiles
    """Of its messages."""
    past: content.ModelFiles
    """Of its history. Their notices are dropped: the user was told when a file came."""
    hearing: Hearing | None

    async def again(self, message: PromptMessageExtended) -> PromptMessageExtended:
        """A message that is answered again, with all of its files."""
        (opened,) = await with_files([message], self.new, FILES_A_TURN)
        return opened

    async def before(self, messages: list[PromptMessageExtended]) -> list[PromptMessageExtended]:
        """A conversation with the last of its files."""
        return await with_files(messages, self.past)

    def show_heard(self, sink: Sink) -> None:
        """Show the user what their recordings say."""
        if self.hearing is not None and self.hearing.heard:
            words = "\n\n".join(self.hearing.heard)
            sink.heard(words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()}…")


class FilesIn:
    """Of a worker."""

    def __init__(self, settings: Settings, media: MediaSource | None, bots: BotsOfTurns | None = None) -> None:
        self._settings = settings
        self._bots = bots
        self._media = media
        self._budget = FileBudget(settings.media_max_mib * 2**20)
        self._documents = DocumentReader()
        self._sounds = SoundConverter(self._budget.most)
        self._transcriber: Transcriber | None = None

    async def open(self, stack: AsyncExitStack, alert: audio_server.TellOperators | None = None) -> None:
        """Make what writes recordings down, where the operator has set it up; it ends with the stack."""
        if self._settings.transcribe is not None:
            server = await stack.enter_async_context(audio_server.transcriptions(self._settings, alert))
            self._transcriber = Transcriber(self._settings.transcribe, server)

    @asynccontextmanager
    async def share(
        self, request: TurnRequest, past: Past, reads: Callable[[str], bool], sink: Sink
    ) -> AsyncGenerator[OpenFiles]:
        """Wait for the files' share of the budget: for those of the messages, and for those of the history."""
        hearing, size = self._hearing(request, sink), 0
        opens = Opens(reads, self._sounds, hears=hearing is not None)
        media = self._media if self._bots is None else self._bots.media(request.session)
        if media:
            before, again = past
            new = (media for inbound in request.messages for media in inbound.media)
            files = list(new) if again is None else content.files_in([again])
            size = content.weigh(files, before, opens, self._budget.most)
        async with self._budget.share(size, TurnParties.of(request).parties if size else ()) as share:
            if media is not None and hearing is not None:
                await hearing.listen_ahead(media, _only_heard(request, opens, self._budget.most))
            opened = partial(content.ModelFiles, media, budget=self._budget, share=share, documents=self._documents)
            bare = opens if hearing is None else replace(opens, hears=False)
            yield OpenFiles(opened(opens, hearing=hearing), opened(bare), hearing)

    def _hearing(self, request: TurnRequest, sink: Sink) -> Hearing | None:
        if self._transcriber is None:
            return None
        folder = session_files.where(self._settings.home, request.session) / "heard"
        turn = request.steps.turn if request.steps is not None else ""
        return Hearing(self._transcriber, folder, turn, sink.phase, request.spent)


def _only_heard(request: TurnRequest, opens: Opens, most: int) -> list[Media]:
    """The recordings among a turn's files that reach its model in words alone."""
    bare = replace(opens, hears=False)
    files = [media for inbound in request.messages for media in inbound.media][:FILES_A_TURN]
    return [one for one in files if opens.worth(one) and not bare.worth(one) and (one.size_bytes or 0) <= most]


async def opened[T](work: Awaitable[T]) -> T:
    """Open a message's files; without one of them the turn is tried again.

    Raises:
        TurnFailed: Telegram did not hand out a file.
    """
    try:
        return await work
    except Retryable as problem:
        raise faults.no_file(type(problem).__name__) from problem
