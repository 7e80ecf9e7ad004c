"""Classifies model faults: who must act, what the user is told, what the operator reads (pure).

fast-agent reports a fault as an exception, or as a returned message with ``stop_reason`` error. Both become a
``ModelFault`` here; ``classify`` is the table of ``docs/model-faults.md`` in code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Literal

from tasks.phrases import phrase
from workers.interfaces import TurnFailed
from workers.runtime.faults import context_overflow, wordings
from workers.runtime.faults.error_codes import wait_said
from workers.runtime.faults.model_fault import ModelFault

type Action = Literal["retry", "tell", "operator"]


# Seconds before the next try: a network fault passes at once, an overloaded server needs longer, a rate limit longest.
SHORT_S, MEDIUM_S, LONG_S = 1.0, 4.0, 10.0

_TOO_MANY = 429
_MAY_QUOTE = frozenset({400, 422})
"""Statuses of rejected requests; the message may quote what the user wrote."""
_SETUP_ERRORS = frozenset(
    {"ProviderKeyError", "ModelConfigError", "AgentConfigError", "ServerConfigError", "ConfigFileError"}
)
_NO_KEY = frozenset({"ProviderKeyError"})
_REFUSALS = frozenset({"ContentFilterFinishReasonError", "PromptBlockedError", "RefusedError"})
_LENGTH = frozenset({"LengthReachedError", "LengthFinishReasonError"})
_NETWORK_ERRORS = frozenset(
    {
        # A refused connection comes as this one, too.
        "APITimeoutError",
        "APIConnectionError",
        "RemoteProtocolError",
        "ReadError",
        "ConnectError",
        "ConnectTimeout",
        "ConnectionResetError",
        "ServerDisconnectedError",
        "ClientPayloadError",
    }
)
_SILENCES = frozenset({"ReadTimeout", "StreamIdleTimeoutError", "TimeoutError"})
_NO_ROOM = frozenset({"NoRoomError"})
_TOO_LARGE = frozenset({"RequestTooLargeError"})
_UNFINISHED = frozenset({"UnfinishedStreamError"})
_ODD = frozenset({"UnusableAnswerError"})
_TOO_LONG_LINES = frozenset({"LineTooLong"})
"""aiohttp's, for an event beyond 8 MiB, as of a large picture; the status that it has is not the provider's."""
_EMPTY = frozenset({"EmptyCompletionError", "EmptyStreamError"})


def classify(fault: ModelFault, model: str = "", sent: Iterable[str] = ()) -> TurnFailed:
    """Decide who must act on a fault, and what the user is told.

    Args:
        fault: What went wrong.
        model: For the operator.
        sent: The texts of the request, which are read only if the provider rejected it.

    Returns:
        The failure; a ``ContextTooLong`` where the request did not fit, which the runtime answers with a compaction.
    """
    if fault.hook:
        return SetupFault("operator", phrase("fault-broken"), fault.hook)
    where = f"{model}: {fault.detail}" if model else fault.detail
    if fault.status in _MAY_QUOTE:
        fault = replace(fault, sent=" ".join(sent).casefold())
    if not _TOO_LONG_LINES.isdisjoint(fault.kinds):
        return TurnFailed("tell", phrase("fault-answer-too-large"), f"an event of the answer is too large, {where}")
    failure = _by_words(fault, where) or _by_status(fault, where) or _by_kind(fault, where)
    if failure.action == "retry":
        failure.backoff = max(failure.backoff, fault.wait or wait_said(fault.text))
    return failure


def _by_words(fault: ModelFault, where: str) -> TurnFailed | None:
    """Providers name these in words only, under various statuses."""
    if context_overflow.too_long(fault.text, fault.status):
        return ContextTooLong("tell", phrase("fault-too-long"), f"context too long, {where}")
    if context_overflow.answer_too_long(fault.text):
        return TurnFailed("operator", phrase("fault-broken"), f"max_tokens is more than the model gives, {where}")
    if fault.says(*wordings.FILTER):
        return TurnFailed("tell", phrase("fault-refused"), f"content filter, {where}")
    # Google words a minute's limit as it words an empty account, and adds when to come again.
    if fault.says(*wordings.QUOTA) and not (fault.status == _TOO_MANY and fault.says("retry in")):
        return _quota_used_up(where)
    if fault.says(*wordings.KEY):
        return _key_refused(where)
    if fault.finds(wordings.SETUP):
        return TurnFailed("operator", phrase("fault-broken"), f"account or model does not allow it, {where}")
    if fault.finds(wordings.NO_MODEL):
        return TurnFailed("operator", phrase("fault-broken"), f"no such model, {where}")
    return None


def _by_status(fault: ModelFault, where: str) -> TurnFailed | None:
    match fault.status:
        case 301 | 302 | 303 | 307 | 308:
            why = f"redirected to another address, which is not followed (name it as base_url), {where}"
            return TurnFailed("operator", phrase("fault-broken"), why)
        case 413:
            return ContextTooLong("tell", phrase("fault-too-large"), f"request too large, {where}")
        case 401 | 402 as status:
            return _key_refused(where) if status == HTTPStatus.UNAUTHORIZED else _quota_used_up(where)
        case 403 | 404:
            return TurnFailed("operator", phrase("fault-broken"), where)
        case 429:
            return ProviderFault("retry", phrase("fault-busy"), where, backoff=LONG_S)
        case 502 | 503 | 504 | 529:
            return ProviderFault("retry", phrase("fault-busy"), where, backoff=MEDIUM_S)
        case 408 | 409 | 425:
            return ProviderFault("retry", phrase("fault-busy"), where, backoff=SHORT_S)
        case int(status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ProviderFault("retry", phrase("fault-busy"), where, backoff=SHORT_S)
        case int(status) if status >= HTTPStatus.BAD_REQUEST:
            words = phrase("fault-picture") if fault.finds(wordings.PICTURE) else phrase("fault-unusable")
            return RequestRejected("tell", words, where)
        case _:
            return None


def _key_refused(where: str, what: str = "key refused") -> TurnFailed:
    return TurnFailed("operator", phrase("fault-key"), f"{what}, {where}", cause="model access")


def _quota_used_up(where: str) -> TurnFailed:
    return TurnFailed("operator", phrase("fault-quota"), f"quota used up, {where}", cause="model account")


def _by_kind(fault: ModelFault, where: str) -> TurnFailed:
    for kinds, failure in (
        (_REFUSALS, TurnFailed("tell", phrase("fault-refused"), f"content filter, {where}")),
        (_LENGTH, TurnFailed("tell", phrase("fault-length"), f"length limit reached, {where}")),
        (_NO_ROOM, ContextTooLong("tell", phrase("fault-too-long"), f"no room for an answer, {where}")),
        (_TOO_LARGE, ContextTooLong("tell", phrase("fault-too-large"), f"request too large, {where}")),
        (_NO_KEY, _key_refused(where, "key missing or refused")),
        (_SETUP_ERRORS, TurnFailed("operator", phrase("fault-broken"), where)),
        # What has been asked for twice already.
        (_EMPTY, EmptyAnswer("tell", phrase("fault-empty"), f"empty answer, {where}")),
        (_ODD, TurnFailed("tell", phrase("fault-odd"), where)),
        (_SILENCES, ModelSilent("retry", phrase("fault-busy"), where, backoff=SHORT_S)),
        (_NETWORK_ERRORS, ProviderFault("retry", phrase("fault-busy"), where, backoff=SHORT_S)),
        (_UNFINISHED, Unfinished("retry", phrase("another-try"), where, backoff=SHORT_S)),
    ):
        if not kinds.isdisjoint(fault.kinds):
            return failure
    # An answer that cannot be read and what we do not know are tried again, but do not speak against the provider:
    # the text that was sent may be the cause.
    return TurnFailed("retry", phrase("another-try"), where, backoff=SHORT_S)


def unusable(model: str, detail: str, *, chosen: bool = True) -> TurnFailed:
    """A session's model does not work, and the operator has to act; one that the session chose can be put back."""
    said = phrase("fault-model", model=model) if chosen else phrase("fault-broken")
    return TurnFailed("operator", said, detail, cause=f"model {model}")


class ProviderFault(TurnFailed):
    """A passing fault of the provider, which the circuit breaker counts."""


class ModelSilent(ProviderFault):
    """The model was silent for too long. After a long request, which takes long to read, the silence does not count."""


class SetupFault(TurnFailed):
    """A card, a hook or a tool is broken, so the fault says nothing about the model."""


class TurnTimedOut(TurnFailed):
    """The turn used up its time, which says nothing about the provider."""


class Unfinished(TurnFailed):
    """The stream ended without a stop reason, so the answer may be incomplete."""


class EmptyAnswer(TurnFailed):
    """The model ended its answer without any text."""


class ContextTooLong(TurnFailed):
    """The request did not fit; a compaction may help."""


class RequestRejected(TurnFailed):
    """The provider rejected the request for an unknown reason, which may lie in the conversation before it."""


def empty(model: str) -> TurnFailed:
    """The model ended its answer twice without any text."""
    return EmptyAnswer("tell", phrase("fault-empty"), f"{model}: empty answer")


def only_thoughts(problem: EmptyAnswer) -> TurnFailed:
    """The model thought, and ended without an answer."""
    return EmptyAnswer("tell", phrase("fault-only-thoughts"), f"{problem.detail}, only thoughts")


def unrouted(router: str) -> TurnFailed:
    """A router's model chose no agent that there is."""
    return TurnFailed("tell", phrase("fault-unrouted"), f"{router}: its model named no agent of it")


def endless(model: str) -> TurnFailed:
    """The model used up its allowance on reasoning or on one tool call, without an answer."""
    return TurnFailed("tell", phrase("fault-endless"), f"{model}: used up COHORT_ANSWER_MAX without an answer")


def length_reached(model: str) -> TurnFailed:
    """The model reached its length limit before any text, or within a tool call."""
    return TurnFailed("tell", phrase("fault-length"), f"{model}: length limit reached")


def cut_off(model: str) -> TurnFailed:
    """The stream ended before the answer did."""
    return Unfinished("retry", phrase("another-try"), f"{model}: stream cut off", backoff=SHORT_S)


def out_of_steps(model: str) -> TurnFailed:
    """The tool loop used all its iterations."""
    return TurnFailed("tell", phrase("fault-lost"), f"{model}: tool loop reached its limit")


def refused(model: str) -> TurnFailed:
    """The provider stopped the answer for safety."""
    return TurnFailed("tell", phrase("fault-refused"), f"{model}: stopped for safety")


def too_slow(model: str, seconds: float, *, inline: bool = False) -> TurnFailed:
    """The turn used up its time; ``inline``: that of an inline message."""
    words = phrase("inline-slow") if inline else phrase("fault-slow")
    return TurnTimedOut("tell", words, f"{model}: turn longer than {seconds:g} s")


def paused(model: str, seconds: float) -> TurnFailed:
    """The circuit breaker of this model is open."""
    return TurnFailed("retry", phrase("fault-busy"), f"{model}: circuit breaker open", backoff=seconds)


def no_lane(problem: Exception) -> TurnFailed:
    """A lane could not be made. A cause in cards, hooks or tools does not pass by itself, so the operator must act."""
    fault = ModelFault.of(problem)
    if _SETUP_ERRORS.isdisjoint(fault.kinds):
        return TurnFailed("retry", phrase("another-try"), f"no lane: {fault.detail}", backoff=MEDIUM_S)
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()] or [fault.detail]
    return SetupFault("operator", phrase("fault-broken"), f"no lane: {': '.join(lines[:2])}")


def no_agent(names: Sequence[str]) -> TurnFailed:
    """There is no card of any agent that a bot of ``COHORT_BOTS`` offers."""
    detail = f"COHORT_BOTS: no card of {', '.join(names)}"
    return TurnFailed("operator", phrase("fault-broken"), detail, cause="cards")


def no_cards(problem: str) -> TurnFailed:
    """The cards that a bot of ``COHORT_BOTS`` has of its own cannot be used. Others never answer in their place."""
    return TurnFailed("operator", phrase("fault-broken"), problem.partition("\n")[0], cause="cards")


def no_room(seconds: float) -> TurnFailed:
    """The turn waited for a lane as long as a turn may take."""
    return TurnFailed("retry", phrase("another-try"), f"waited {seconds:g} s for a lane", backoff=SHORT_S)


def no_server(names: str) -> TurnFailed:
    """A session's own MCP server does not start."""
    return TurnFailed("retry", phrase("another-try"), f"MCP server does not start: {names}", backoff=MEDIUM_S)


def no_file(detail: str) -> TurnFailed:
    """Telegram does not deliver a file at present."""
    return TurnFailed("retry", phrase("fault-file"), detail, backoff=MEDIUM_S)
