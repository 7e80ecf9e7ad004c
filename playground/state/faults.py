"""Faults on order: the next calls that match are answered wrongly, late or not at all; and a flood limit."""

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any, Literal, get_args

from playground.errors import ApiError, ControlError, too_many
from tasks.clock import Clock

type Json = dict[str, Any]
type FaultKind = Literal["429", "500", "502", "error", "cut_before", "cut_after", "delay", "garbage"]

KINDS: tuple[str, ...] = get_args(FaultKind.__value__)
_STATUS = {"500": "Internal Server Error", "502": "Bad Gateway"}


@dataclass(slots=True)
class Fault:
    """What happens to the next ``times`` calls of ``method`` (lower case, ``*``: all) in ``chat`` (None: any).

    ``429``: flood control with ``retry_after`` seconds. ``500``, ``502``: server errors, nothing was done. ``error``: a
    Bot API error of your choice (``code``, ``description``). ``cut_before``: the connection ends, nothing was done.
    ``cut_after``: the call takes effect, then the connection ends, so the answer is lost. ``delay``: the call waits for
    ``seconds``. ``garbage``: status 200 with a body that is no JSON, nothing was done. ``skip``: so many matching calls
    pass first.
    """

    id: int
    kind: FaultKind
    method: str
    chat: int | None = None
    times: int = 1
    skip: int = 0
    retry_after: int = 1
    seconds: float = 1.0
    code: int = 400
    description: str = "Bad Request: fault on order"
    hits: int = 0

    def error(self) -> ApiError | None:
        """The answer, for the kinds that are answers."""
        match self.kind:
            case "429":
                return too_many(self.retry_after)
            case "500" | "502":
                return ApiError(int(self.kind), _STATUS[self.kind])
            case "error":
                return ApiError(self.code, self.description)
            case _:
                return None


class Faults:
    """Ordered faults; the first that matches a call is used up by it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = 0

    def add(self, order: Json) -> Fault:
        """Take an order.

        Raises:
            ControlError: it names no known kind, or a field of the wrong type.
        """
        kind = str(order.get("kind", ""))
        if kind not in KINDS:
            raise ControlError(f"kind must be one of {', '.join(KINDS)}")
        chat = order.get("chat")
        self._ids += 1
        try:
            fault = Fault(
                id=self._ids,
                kind=kind,  # pyright: ignore[reportArgumentType] - checked above
                method=str(order.get("method", "*")).lower(),
                chat=None if chat is None else int(chat),
                times=int(order.get("times", 1)),
                skip=int(order.get("skip", 0)),
                retry_after=int(order.get("retry_after", 1)),
                seconds=float(order.get("seconds", 1.0)),
                code=int(order.get("code", 400)),
                description=str(order.get("description", "Bad Request: fault on order")),
            )
        except (TypeError, ValueError) as problem:
            raise ControlError(f"a fault's field has the wrong type: {problem}") from None
        self._faults.append(fault)
        return fault

    def meet(self, method: str, chat: int | None) -> Fault | None:
        """The fault that this call (method in lower case) meets, if any."""
        if not self._faults:
            return None
        for fault in self._faults:
            if fault.method not in ("*", method) or (fault.chat is not None and fault.chat != chat):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
            return fault
        return None

    def all(self) -> list[Fault]:
        """The orders that are still open."""
        return list(self._faults)

    def clear(self) -> None:
        """Cancel all orders."""
        self._faults.clear()


class Flood:
    """Limits as Telegram's FAQ tells them: sends and edits a second overall and in a chat, a minute in a group."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.on = False
        self.overall = 30
        self.per_chat = 1
        self.per_group = 20
        self.refused = 0
        self._all: deque[float] = deque()
        self._chats: OrderedDict[int, deque[float]] = OrderedDict()

    def check(self, chat: int) -> None:
        """Count a send or an edit in ``chat``.

        Raises:
            ApiError: 429; the call does not count.
        """
        if not self.on:
            return
        now = self._clock.monotonic()
        windows = [(self._all, self.overall, 1.0)]
        own = self._chats.setdefault(chat, deque())
        self._chats.move_to_end(chat)
        windows.append((own, self.per_group, 60.0) if chat < 0 else (own, self.per_chat, 1.0))
        wait = 0.0
        for times, most, span in windows:
            while times and times[0] <= now - span:
                times.popleft()
            if len(times) >= most:
                wait = max(wait, times[-most] + span - now)
        if wait > 0:
            self.refused += 1
            raise too_many(max(1, math.ceil(wait)))
        for times, _, _ in windows:
            times.append(now)
        while len(self._chats) > 10_000:  # noqa: PLR2004 - chats worth remembering; the longest silent goes
            self._chats.popitem(last=False)

    def set(self, order: Json) -> None:
        """Switch it on or off and set its limits.

        Raises:
            ControlError: a limit is no positive number.
        """
        try:
            limits = {name: int(order.get(name, getattr(self, name))) for name in ("overall", "per_chat", "per_group")}
        except (TypeError, ValueError):
            raise ControlError("overall, per_chat and per_group are numbers") from None
        if min(limits.values()) < 1:
            raise ControlError("overall, per_chat and per_group are at least 1")
        self.on = bool(order.get("on", True))
        self.overall, self.per_chat, self.per_group = limits["overall"], limits["per_chat"], limits["per_group"]
        self._all.clear()
        self._chats.clear()

    def state(self) -> Json:
        """What is set, and how many calls it refused."""
        return {
            "on": self.on,
            "overall": self.overall,
            "per_chat": self.per_chat,
            "per_group": self.per_group,
            "refused": self.refused,
        }
