"""Fault injection: the next matching calls get a wrong, late or no answer. And a flood limit."""

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Literal, get_args

from playground import Json
from playground.errors import ApiError, ControlError, too_many
from playground.state.timing import Time

type FaultKind = Literal["429", "500", "502", "error", "cut_before", "cut_after", "delay", "garbage"]

KINDS: tuple[str, ...] = get_args(FaultKind.__value__)
_STATUS = {"500": "Internal Server Error", "502": "Bad Gateway"}


@dataclass(slots=True)
class InjectedFault:
    """What happens to the next calls that match.

    =============== ==================================================================
    ``429``         flood control with ``retry_after``
    ``500``, ``502`` a server error; the call took no effect
    ``error``       a Bot API error with ``code`` and ``description``
    ``cut_before``  the connection ends; the call took no effect
    ``cut_after``   the call takes effect, then the connection ends: the answer is lost
    ``delay``       the call waits for ``seconds`` first
    ``garbage``     status 200 with a body that is not JSON; the call took no effect
    =============== ==================================================================
    """

    id: int
    kind: FaultKind
    method: str
    """In lower case; ``*`` matches all."""
    chat: int | None = None
    """None matches all."""
    times: int = 1
    """How many calls it meets."""
    skip: int = 0
    """How many matching calls pass first."""
    retry_after: int = 1
    """Seconds."""
    seconds: float = 1.0
    code: int = 400
    description: str = "Bad Request: fault on order"
    hits: int = 0
    """How many calls it has met."""

    def error(self) -> ApiError | None:
        """The error to answer with, for the kinds that answer with one."""
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
    """The faults to inject; a call meets the first one that matches."""

    def __init__(self) -> None:
        self._faults: list[InjectedFault] = []
        self._ids = 0

    def add(self, order: Json) -> InjectedFault:
        """Add a fault.

        Raises:
            ControlError: it names no known kind, or a field of the wrong type.
        """
        kind = str(order.get("kind", ""))
        if kind not in KINDS:
            raise ControlError(f"kind must be one of {', '.join(KINDS)}")
        chat = order.get("chat")
        self._ids += 1
        try:
            fault = InjectedFault(
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

    def meet(self, method: str, chat: int | None) -> InjectedFault | None:
        """The fault that this call meets (``method`` in lower case), else None."""
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

    def all(self) -> list[InjectedFault]:
        """The faults that have not met all their calls yet."""
        return list(self._faults)

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()


class Flood:
    """Telegram's flood limits (Bots FAQ): sends and edits a second overall and in a chat, a minute in a group."""

    def __init__(self, clock: Time) -> None:
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
        while len(self._chats) > 10_000:  # noqa: PLR2004 - bounds memory; the least recently used chat is dropped
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
        """The limits, and how many calls they refused."""
        return {
            "on": self.on,
            "overall": self.overall,
            "per_chat": self.per_chat,
            "per_group": self.per_group,
            "refused": self.refused,
        }
