"""Servers that are busy, or say so: when to come again, who must act, and what is never asked twice."""

import json
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tasks.http.retry_after import wait_in
from tests.runtime.response_streams import CREATED, stream
from tests.runtime.streams import CARD, Plays, chunk, response, sse
from tests.runtime.support import Configure, Open, Screen, StillClock, ask, card
from tests.support.wire import HttpServer, Request
from workers.interfaces import TurnFailed
from workers.runtime.faults.classify import ProviderFault
from workers.runtime.faults.error_codes import status_in, wait_said

SECRET = "sk-proj-SECRET"
PROVIDERS = {
    "generic": ("generic.mock", "/v1"),
    "openai": ("openai.gpt-4.1-mini", "/v1"),
    "responses": ("responses.gpt-5-mini", "/v1"),
    "anthropic": ("anthropic.claude-haiku-4-5", ""),
}


class Busy(HttpServer):
    """Refuses each call in the same words."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__()
        self.refusal = (body, status, {"content-type": "application/json", **headers})
        self.calls = 0

    async def handle(self, request: Request) -> None:
        self.calls += 1
        await request.respond(*self.refusal)


def said(**fields: Any) -> bytes:
    return json.dumps({"type": "error", "error": {"message": f"no, {SECRET}", **fields}}).encode()


LIMIT = said(type="rate_limit_error", code="rate_limit_exceeded")
REFUSALS: dict[str, tuple[int, bytes, dict[str, str], int, float]] = {
    "seconds": (429, LIMIT, {"retry-after": "37"}, 1, 37),
    "milliseconds": (429, LIMIT, {"retry-after-ms": "37000"}, 1, 37),
    "hours": (429, LIMIT, {"retry-after": "7200"}, 1, 7200),
    "words": (429, said(type="tokens", message="Please try again in 6m5.5s."), {}, 1, 365.5),
    "at once": (429, LIMIT, {"retry-after-ms": "1"}, 3, 10),
    "overloaded": (529, said(type="overloaded_error"), {"retry-after": "37"}, 1, 37),
    "away": (503, b"<html>no</html>", {"retry-after": "37", "content-type": "text/html"}, 1, 37),
}


async def refused(opened: tuple[Open, Configure, Path], provider: str, server: Any) -> TurnFailed:
    runtime, configure, cards = opened
    model, version = PROVIDERS[provider]
    card(cards, "assistant.md", CARD.format(model).replace("function_tools: [tools.py:clock]\n", ""))
    section: dict[str, object] = {"base_url": server.url + version, "api_key": SECRET}
    configure({provider: {**section, **({"transport": "sse"} if provider == "responses" else {})}})
    async with runtime(COHORT_LANES="1") as engine:
        with pytest.raises(TurnFailed) as failure:
            await engine.run(ask(1, "hello"), Screen())
    assert SECRET not in failure.value.words + failure.value.detail
    return failure.value


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_server_is_asked_again_when_it_wants_to_be_and_no_lane_waits_for_it(
    runtime: Open, configure: Configure, cards: Path, kind: str, provider: str
) -> None:
    status, body, headers, calls, wait = REFUSALS[kind]
    async with Busy(status, body, headers) as server:
        failure = await refused((runtime, configure, cards), provider, server)
        assert (failure.action, failure.backoff, server.calls) == ("retry", wait, calls)
        assert isinstance(failure, ProviderFault)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_empty_account_is_asked_once(runtime: Open, configure: Configure, cards: Path, provider: str) -> None:
    async with Busy(429, said(code="insufficient_quota", type="insufficient_quota"), {}) as server:
        failure = await refused((runtime, configure, cards), provider, server)
        assert (failure.action, server.calls) == ("operator", 1)


def failed(code: str, message: str = "it broke") -> bytes:
    return stream(
        CREATED, {"type": "response.failed", "response": response("failed", error={"code": code, "message": message})}
    )


def error(**fields: Any) -> bytes:
    return stream(CREATED, {"type": "error", **fields})


RETRY, TELL, OPERATOR = "retry", "tell", "operator"
IN_STREAMS: dict[str, dict[str, tuple[bytes, str, float]]] = {
    "responses": {
        "failed, the server": (failed("server_error"), RETRY, 1),
        "failed, a limit": (failed("rate_limit_exceeded", "Please try again in 12s."), RETRY, 12),
        "failed, overloaded": (failed("server_is_overloaded"), RETRY, 4),
        "failed, too fast": (failed("slow_down"), RETRY, 10),
        "failed, an empty account": (failed("insufficient_quota"), OPERATOR, 0),
        "failed, too long": (failed("context_length_exceeded", "Your input exceeds the context window"), TELL, 0),
        "failed, a policy": (failed("invalid_prompt", "potentially violating our usage policy"), TELL, 0),
        "failed, a picture": (failed("invalid_image", "does not represent a valid image"), TELL, 0),
        "failed, no word": (stream(CREATED, {"type": "response.failed", "response": None}), RETRY, 1),
        "flat": (error(code="rate_limit_exceeded", message="x", param=None), RETRY, 10),
        "nested": (error(error={"type": "server_error", "code": None, "message": "x"}), RETRY, 1),
        "nested, a limit": (error(error={"type": "tokens", "code": "rate_limit_exceeded", "message": "x"}), RETRY, 10),
        "a text": (error(error="server overloaded"), RETRY, 1),
        "a status": (error(status=429, error={"type": "x", "message": "x"}), RETRY, 10),
        "a key": (error(error={"code": "invalid_api_key", "message": f"Incorrect: {SECRET}"}), OPERATOR, 0),
        "a model": (error(code="model_not_found", message="The model `x` does not exist"), OPERATOR, 0),
        "another response": (error(code="previous_response_not_found", message="not found"), RETRY, 1),
    },
    "generic": {
        "a number": (sse(chunk({"content": "All "}), {"error": {"code": 502, "message": "x"}}), RETRY, 4),
        "a word": (sse({"error": {"code": "rate_limit_exceeded", "message": "x"}}), RETRY, 10),
        "a kind": (sse({"error": {"type": "overloaded_error", "message": "x"}}), RETRY, 4),
        "beside a choice": (sse({**chunk({}, "error"), "error": {"code": 429, "message": "x"}}), RETRY, 10),
        "an empty account": (sse({"error": {"code": "insufficient_quota", "message": "x"}}), OPERATOR, 0),
        "an account that ends on the way": (
            sse(
                chunk({"content": "All "}),
                {"error": {"message": "Your account has been deactivated", "type": "invalid_request_error"}},
            ),
            OPERATOR,
            0,
        ),
        "a text": (sse({"error": "boom"}), RETRY, 1),
    },
    "anthropic": {
        kind: (sse({"type": "error", "error": {"type": kind, "message": "x"}}), action, wait)
        for kind, action, wait in (
            ("overloaded_error", RETRY, 4),
            ("rate_limit_error", RETRY, 10),
            ("api_error", RETRY, 1),
            ("timeout_error", RETRY, 4),
            ("authentication_error", OPERATOR, 0),
            ("billing_error", OPERATOR, 0),
            ("invalid_request_error", TELL, 0),
        )
    },
}


@pytest.mark.parametrize("provider", IN_STREAMS)
async def test_an_error_within_a_stream_has_the_action_of_its_code(
    runtime: Open, configure: Configure, cards: Path, provider: str
) -> None:
    rows = IN_STREAMS[provider]
    model, version = PROVIDERS[provider]
    card(cards, "assistant.md", CARD.format(model).replace("function_tools: [tools.py:clock]\n", ""))
    seen = dict[str, tuple[str, float]]()
    async with Plays(b"") as plays:
        section: dict[str, object] = {"base_url": plays.url + version, "api_key": SECRET}
        configure({provider: {**section, **({"transport": "sse"} if provider == "responses" else {})}})
        async with runtime(COHORT_LANES="1") as engine:
            for chat, (kind, (played, action, _)) in enumerate(rows.items(), 1):
                plays.streams, plays.calls = [played], []
                with pytest.raises(TurnFailed) as failure:
                    await engine.run(ask(chat, "hello"), Screen())
                seen[kind] = (failure.value.action, failure.value.backoff)
                assert len(plays.calls) == 1, kind
                assert SECRET not in failure.value.words + failure.value.detail
                # Five chats of one kind of fault would close the model for the others.
                engine.breaker.succeeded(model)
                assert action != RETRY or isinstance(failure.value, ProviderFault), kind
    assert seen == {kind: (action, wait) for kind, (_, action, wait) in rows.items()}


def test_a_header_says_when_to_come_again_or_nothing() -> None:
    now = StillClock().now()
    assert 30 < wait_in({"retry-after": formatdate(now + 37, usegmt=True)}, now) <= 37
    for odd in ("", "soon", "-5", "nan", "inf", "1e999", "Fri, 99 Foo", ", ", "9" * 400 + "x", formatdate(1)):
        assert wait_in({"retry-after": odd}, now) == 0.0
    assert wait_in({}, now) == 0.0
    assert wait_in({"retry-after-ms": "soon", "retry-after": "5"}, now) == 0.0


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("please try again in 1.2s.", 1.2),
        ("please try again in 6m0s", 360),
        ("please try again in 340ms", 0.34),
        ("please try again in 7h12m.", 25_920),
        ("please retry in 34.074824224s.", 34.074824224),
        ("please retry after 20 seconds.", 20),
        ('"retrydelay": "34s"', 34),
        ("try again later", 0),
        ("try again", 0),
        ("retry " * 20_000, 0),
        ("try again in " + "1s " * 20_000, 4),
    ],
)
def test_words_say_when_to_come_again_or_nothing(words: str, seconds: float) -> None:
    assert wait_said(words) == pytest.approx(seconds)


@pytest.mark.parametrize("odd", [None, [], "x", 3, {}, {"error": []}, {"code": []}, {"code": True}, {"status": 200}])
def test_what_says_nothing_of_a_status_has_none(odd: Any) -> None:
    assert status_in(odd) is None
