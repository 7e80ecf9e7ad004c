"""Errors, grouped by who must act: we (later), the user, or the operator."""

from typing import ClassVar


class CohortError(Exception):
    """Something went wrong in Cohort."""

    is_fault: ClassVar[bool] = True
    """Whether a traced step that ends with it has failed (``tasks.telemetry.tracing``)."""

    def __init__(self, message: str | None = None) -> None:
        """With no message, the class's docstring is the message: it says what happened and what to do."""
        super().__init__(message or " ".join((self.__class__.__doc__ or "").split()))


class Retryable(CohortError):  # noqa: N818 - reads as what to do
    """A passing fault; we try again later."""


class Terminal(CohortError):  # noqa: N818 - reads as what to do
    """It will never work; tell the user in plain words."""


class Misconfigured(CohortError):  # noqa: N818 - reads as what it is
    """The operator must change a setting; the process exits with status 2."""


class StoreUnavailable(Retryable):
    """Redis cannot be reached or refuses writes; nothing was confirmed, everything is tried again."""


class StoreForbidden(StoreUnavailable, Misconfigured):
    """Redis refuses what Cohort needs. A process that starts ends with it; one that runs tries again until it may."""


class StateDamaged(CohortError):  # noqa: N818 - reads as what it is
    """A key in Redis is not of the type that this release declares; something else than Cohort wrote it."""


class ClaimLost(CohortError):  # noqa: N818 - an outcome, not a failure
    """Another worker owns this session now; what this one computed is thrown away."""


class EnvelopeTooNew(CohortError):  # noqa: N818
    """This message was written by a newer release; it is kept for a process that can read it. Upgrade this one."""


class EnvelopeInvalid(CohortError):  # noqa: N818
    """This message cannot be read."""


def without_frames[E: BaseException](problem: E) -> E:
    """The same exception, to be kept as a value: its traceback holds frames, and one of them would hold it.

    Such a circle, with all that its frames hold, stands in memory until the garbage collector comes.
    """
    left: list[BaseException] = [problem]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            left += [further for further in (one.__cause__, one.__context__) if further is not None]
            left += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
    return problem
