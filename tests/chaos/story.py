"""Histories by hand: what a good run looks like, so that a test can spoil one thing in it."""

from dataclasses import replace

from tests.harness.checker import Verdict, check
from tests.harness.history import (
    Accepted,
    Bubble,
    Call,
    Committed,
    Dead,
    Delivery,
    Execution,
    Fault,
    History,
    Said,
    Spoken,
)


class Story:
    """Tells a run, step by step. Each step takes a second."""

    def __init__(self) -> None:
        self.history = History()
        self.now = 0.0
        self._place = 0
        self._messages = 0
        self._exchanges: dict[str, list[Spoken]] = {}

    def say(self, session: str, *, taken: int = 1, files: tuple[str, ...] = ()) -> Said:
        """A person writes, and sends files; the store takes it in."""
        number = len(self.history.said) + 1
        said = Said(session, number, f"m{number:06d}q", self._tick(), files=files)
        self.history.said.append(said)
        for _ in range(taken):
            self._place += 1
            self.history.accepted.append(Accepted(self._place, session, number))
        return said

    def call(self, *said: Said, seen: list[Spoken] | None = None, until: float | None = None) -> Call:
        """The model is asked; it sees the session's history unless told otherwise."""
        session = said[0].session
        before = self._exchanges.setdefault(session, []) if seen is None else seen
        asked = Spoken("user", "\n".join(one.word for one in said))
        at = self._tick()
        reply = f"echo: {asked.text} [n={len(before) // 2 + 1}]"
        ends = self._tick() if until is None else until
        call = Call(len(self.history.calls) + 1, at, ends, whole=True, spoken=(*before, asked), reply=reply)
        self.history.calls.append(call)
        return call

    def step(
        self,
        said: Said,
        *asks: tuple[str, str],
        results: tuple[str, ...] = (),
        text: str = "",
        joined: tuple[Said, ...] = (),
    ) -> Call:
        """The model asks for tools, each with the call's name, or says ``text``, having heard ``results``.

        ``joined``: messages that joined the turn.
        """
        before = self._exchanges.setdefault(said.session, [])
        spoken = (*before, Spoken("user", "\n".join(one.word for one in (said, *joined))))
        number = len(self.history.calls) + 1
        call = Call(number, self._tick(), self._tick(), True, spoken, text, results, results, asks)
        self.history.calls.append(call)
        return call

    def execute(
        self, tool: str, name: str, *, key: str = "k", pid: int = 1, sent: tuple[tuple[str, str], ...] = ()
    ) -> Execution:
        """A tool runs for a second."""
        ran = Execution(tool, name, key, pid, self._tick(), self._tick(), sent)
        self.history.executions.append(ran)
        return ran

    def commit(self, call: Call, *said: Said) -> Committed:
        """The store takes the turn."""
        session = said[0].session
        self._place += 1
        ident, numbers = f"c{self._place}", tuple(one.update_id for one in said)
        committed = Committed(self._place, session, ident, numbers, (call.reply,))
        self.history.committed.append(committed)
        self._exchanges[session] += [call.spoken[-1], Spoken("assistant", call.reply)]
        return committed

    def deliver(self, session: str, text: str, *, heard: bool = True) -> Bubble:
        """A message appears in the chat."""
        self._messages += 1
        chat = int(session.split(":")[1])
        at = self._tick()
        self.history.deliveries.append(
            Delivery(len(self.history.deliveries) + 1, at, chat, self._messages, text, edit=False, heard=heard)
        )
        bubble = Bubble(session, chat, self._messages, text)
        self.history.bubbles.append(bubble)
        return bubble

    def edit(self, bubble: Bubble, text: str) -> None:
        """A message becomes another one."""
        seq = len(self.history.deliveries) + 1
        sent = Delivery(seq, self._tick(), bubble.chat, bubble.message_id, text, edit=True, heard=True)
        self.history.deliveries.append(sent)
        self.history.bubbles[self.history.bubbles.index(bubble)] = replace(bubble, text=text)

    def exchange(self, session: str, count: int = 1) -> Call:
        """All of it, for ``count`` messages together."""
        said = [self.say(session) for _ in range(count)]
        call = self.call(*said)
        self.commit(call, *said)
        self.deliver(session, call.reply)
        return call

    def fault(self, kind: str, *pids: int) -> None:
        """Something was broken just now, in these processes."""
        self.history.faults.append(Fault(kind, self.now, self.now, pids=pids))

    def die(self, said: Said, reason: str = "on purpose") -> None:
        """The message becomes a dead letter."""
        self.history.dead.append(Dead(said.session, said.update_id, reason, self._tick()))

    def overlap(self, earlier: Call, later: Call) -> None:
        """As if the earlier call had gone on until the later one ended."""
        place = self.history.calls.index(earlier)
        self.history.calls[place] = replace(earlier, until=later.until)

    def _tick(self) -> float:
        self.now += 1.0
        return self.now


def rules(story: Story) -> set[str]:
    """The rules that it breaks."""
    return {violation.rule for violation in check(story.history).violations}


def good(story: Story) -> Verdict:
    """What the checker says of one that breaks none."""
    verdict = check(story.history)
    assert verdict.violations == []
    return verdict
