"""What a turn does, as its user sees it: its tool calls, how far they are, and how long they take (pure)."""

from collections import Counter
from dataclasses import dataclass, field
from math import isfinite

from tasks.phrases import phrase
from workers import texts
from workers.showing import Step

_LINES = 3
"""Tool calls shown of those that have ended, and of those that run."""
_NAMES = 4
"""Different tools named in one line."""
_SHORT_S = 2.0
"""Seconds below which no time is shown."""
_MINUTE_S = 60.0
_SLOWER = 3
"""After a minute the seconds are shown so many times less often."""
_MOST = 1e12
"""A count beyond it is none."""


@dataclass(slots=True)
class _Call:
    step: Step
    begun: float
    ended: float | None = None


@dataclass(slots=True)
class Progress:
    """Of one turn. Every ``now`` is a monotonic time; seconds move on in jumps of ``tick``, so that frames are few."""

    began: float
    tick: float = 5.0
    _running: dict[str, _Call] = field(default_factory=dict[str, _Call])
    _ended: list[_Call] = field(default_factory=list[_Call])
    _count: int = 0
    _names: Counter[str] = field(default_factory=Counter[str])
    _phase: str = ""
    _rests_since: float = 0.0
    _last: float = 0.0
    _writing: bool = False

    def step(self, step: Step, now: float) -> None:
        """A tool call begins, goes on, or has ended; a ``key`` that is new begins one."""
        self._phase, self._writing, self._last = "", False, now
        call = self._running.get(step.key)
        if call is None:
            call = self._running[step.key] = _Call(step, now)
            self._names[texts.tool_in_words(step.tool)] += 1
        call.step = step
        if step.state != "running":
            call.ended = self._rests_since = now
            del self._running[step.key]
            self._count += 1
            self._ended = [*self._ended, call][-_LINES:]

    def phase(self, words: str, now: float) -> None:
        """Something else than a tool goes on; no words: no longer."""
        self._phase, self._rests_since, self._last = words, now, now
        # What a broken try had begun ended with it.
        self._running.clear()

    def wrote(self) -> None:
        """The answer goes on."""
        self._phase, self._writing = "", True

    def took_back(self) -> None:
        """The answer was taken back."""
        self._writing = False

    @property
    def begun(self) -> bool:
        """Whether there is anything to show."""
        return bool(self._running or self._count or self._phase)

    def lines(self, now: float) -> list[str]:
        """What is shown below the text so far."""
        now = self._shown_at(now)
        if self._writing and not self._running:
            return [self._summary()] if self._count else []
        lines = [_line(call, now) for call in self._ended]
        if self._count > len(lines):
            lines.insert(0, texts.more_steps(self._count - len(lines)))
        running = list(self._running.values())
        lines += [_line(call, now) for call in running[:_LINES]]
        if len(running) > _LINES:
            lines.append(texts.more_steps(len(running) - _LINES))
        if not running and self.begun:
            lines.append(texts.under_way(self._phase or phrase("thinking"), _time(now - self._rests_since)))
        return lines

    def until_changed(self, now: float) -> float | None:
        """Seconds until the lines say something else by themselves; None: they do not."""
        if not self.begun or (self._writing and not self._running):
            return None
        tick = self._tick(now)
        return tick - (now - self.began) % tick

    def folded(self) -> list[str]:
        """The turn's tool calls in one line, when it has ended; nothing where there were none."""
        return [self._summary()] if self._count else []

    def kept(self) -> list[str]:
        """The turn's tool calls, when it has ended."""
        lines = [_line(call, self._last) for call in self._ended]
        if self._count > len(lines):
            lines.insert(0, texts.more_steps(self._count - len(lines)))
        return lines

    def _summary(self) -> str:
        named = [f"{name} ×{times}" if times > 1 else name for name, times in self._names.most_common(_NAMES)]
        if len(self._names) > _NAMES:
            named.append(GOES_ON)
        return texts.steps_done(", ".join(named), _time(self._last - self.began))

    def _tick(self, now: float) -> float:
        return self.tick if now - self.began < _MINUTE_S else self.tick * _SLOWER

    def _shown_at(self, now: float) -> float:
        tick = self._tick(now)
        return self.began + (now - self.began) // tick * tick


GOES_ON = "…"


def _line(call: _Call, now: float) -> str:
    step = call.step
    name = texts.tool_in_words(step.tool)
    if call.ended is None:
        return texts.under_way(name, _part(step), _time(now - call.begun))
    took = _time(call.ended - call.begun)
    return texts.step_done(name, took) if step.state == "done" else texts.step_failed(name, took)


def _part(step: Step) -> str:
    """How far it says that it is; servers say what they like."""
    done, total = step.done, step.total
    if total is None or not (isfinite(done) and isfinite(total)) or not 0 < total < _MOST or done < 0:
        return ""
    if total in (1, 100):
        return texts.percent(round(min(done / total, 1) * 100))
    return texts.so_many_of(_number(min(done, total)), _number(total))


def _number(count: float) -> str:
    return str(int(count)) if count == int(count) else f"{count:.1f}"


def _time(seconds: float) -> str:
    return texts.lasted(int(seconds)) if seconds >= _SHORT_S else ""
