"""Who waits for an answer, and how long it took: read from the playground's journal as it grows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from playground.client import PlaygroundClient
from tests.chaos.figures import Figures
from tests.harness import collect
from tests.harness.checker import TOLD_DEAD, TOLD_OUTAGE
from tests.harness.history import Said
from tests.support.script import WORDS

METHODS = ",".join(sorted(collect.SHOWING | collect.FILES))
type Seen = Callable[[dict], None]


@dataclass(slots=True)
class _Watch:
    """Messages that waited when a fault ended."""

    kind: str
    since: float
    words: set[str]


class Answers:
    """``entries``: all of the journal so far. ``latencies``: seconds, an answer each."""

    def __init__(self, people: PlaygroundClient, waiting: dict[str, Said], figures: Figures, seen: Seen) -> None:
        """``waiting``: messages without a whole answer, by their words; those that are answered are taken out.

        ``seen``: told of each entry that Telegram took.
        """
        self._seen = seen
        self._people = people
        self._waiting = waiting
        self._figures = figures
        self._watches: list[_Watch] = []
        self.entries: list[dict] = []
        self.latencies: list[float] = []

    def watch(self, kind: str, since: float) -> None:
        """Note how long it takes until all that waits now is answered."""
        self._watches.append(_Watch(kind, since, set(self._waiting)))

    async def follow(self) -> None:
        """Read the playground's journal as it grows, and note what is answered; until cancelled."""
        after = 0
        while True:
            page = await self._people.control("GET", "/journal", after=after, timeout=1, limit=5000, method=METHODS)
            after = page["next"]
            self.entries += page["entries"]
            for entry in page["entries"]:
                if entry["processed"] and entry["method"] in collect.SHOWING:
                    self._seen(entry)
                    for one in self._answered_by(entry):
                        self._answered(one, entry["ended"])

    def _answered_by(self, entry: dict) -> Iterable[Said]:
        text = str(entry["params"].get("text", ""))
        waiting = self._waiting
        if any(known in text for known in (*TOLD_DEAD, *TOLD_OUTAGE)):
            return [one for one in waiting.values() if f":{entry['chat']}" in one.session and one.at < entry["ended"]]
        if "[n=" in text and (words := collect.words_shown(entry)):
            length = int(next(iter(WORDS.findall(text)), 0))
            return [
                waiting[word]
                for word in words
                if word in waiting and (not length or f"word{length - 1}" in text.split())
            ]
        return []

    def _answered(self, one: Said, at: float) -> None:
        del self._waiting[one.word]
        self.latencies.append(at - one.at)
        for watch in self._watches:
            if one.word in watch.words:
                watch.words.discard(one.word)
                if not watch.words:
                    self._figures.recovery[watch.kind].append(max(at - watch.since, 0.0))
        self._watches = [watch for watch in self._watches if watch.words]
