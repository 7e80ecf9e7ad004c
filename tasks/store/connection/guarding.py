"""What Redis's own errors mean to callers: not now, not for us, or damaged."""

from types import TracebackType

from redis import exceptions

from tasks.errors import StateDamaged, StoreForbidden, StoreUnavailable
from tasks.store.connection.causes import said_by, unreachable, wrong

# What a server that cannot serve right now answers; everything else that it answers is a defect of ours.
_REFUSALS = (
    "MISCONF",
    "READONLY",
    "OOM",
    "NOREPLICAS",
    "MASTERDOWN",
    "UNBLOCKED",
    "LOADING",
    "BUSY",
    "CLUSTERDOWN",
    "TRYAGAIN",
)


class _Guard:
    """Holds nothing, so one serves all calls: a generator for each would be half of a short call's own time."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            _translate(error)


def _translate(error: BaseException) -> None:
    """Raise what it means; what means nothing else goes on as it is."""
    match error:
        case exceptions.ConnectionError() | exceptions.TimeoutError() | exceptions.InvalidResponse() | OSError():
            raise StoreUnavailable(f"Redis cannot be reached ({unreachable(error)})") from error
        case exceptions.OutOfMemoryError() | exceptions.ReadOnlyError():
            raise StoreUnavailable(f"Redis refuses writes ({said_by(error)})") from error
        case exceptions.ResponseError():
            if str(error).startswith(_REFUSALS) or any(f"{word} " in str(error) for word in _REFUSALS):
                raise StoreUnavailable(f"Redis refuses writes ({said_by(error)})") from error
            if "WRONGTYPE" in str(error):
                raise StateDamaged(str(error)) from error
            if (what := wrong(error)) is not None:
                raise StoreForbidden(f"REDIS_URL: {what}") from None
        case _:
            pass


_GUARD = _Guard()


def guard() -> _Guard:
    """Turn "not now" into ``StoreUnavailable``, around calls to Redis.

    Raises:
        StoreUnavailable: Redis is away, read-only, full, loading or failing over; the command may have been done.
        StoreForbidden: it is another Redis than Cohort can use, or its user may do too little.
        StateDamaged: a key is of another type than declared.
    """
    return _GUARD
