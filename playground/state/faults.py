"""Fault injection: the next matching calls get a wrong, late or no answer."""

from dataclasses import dataclass
from typing import Literal, get_args

from playground import Json
from playground.errors import ApiError, ControlError, too_many

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
