"""An error that a gateway sends with status 200 is the error that it says, and no empty answer."""

import json
import logging
from pathlib import Path

import pytest

from tests.runtime.streams import CARD, Plays
from tests.runtime.support import Configure, Open, Screen, ask, card
from workers.interfaces import TurnFailed
from workers.runtime.streams.bodies import _status_of


def error(**fields: object) -> bytes:
    return json.dumps({"error": {"message": "it says why", **fields}}).encode()


SAID = {
    "a number": (error(code=503), "retry", "HTTP 503"),
    "a number as text": (error(code="401"), "operator", "HTTP 401"),
    "a key": (error(code=None, type="authentication_error"), "operator", "HTTP 401"),
    "no number": (error(), "retry", "HTTP 500"),
    "a text": (b'{"error": "boom"}', "retry", "HTTP 500"),
    "an empty account": (error(code="insufficient_quota"), "operator", "quota used up"),
    "a page": (b"\n<!doctype html><title>Welcome</title>", "operator", "HTTP 404"),
}


STREAM, PAGE = "text/event-stream", "text/html"


@pytest.mark.parametrize(
    ("what", "kind"),
    [*((what, "application/json") for what in SAID), ("a number", STREAM), ("a page", STREAM), ("a page", PAGE)],
)
async def test_an_error_or_a_page_that_comes_as_a_success_has_the_action_of_its_status(  # noqa: PLR0917 - fixtures
    runtime: Open, configure: Configure, cards: Path, caplog: pytest.LogCaptureFixture, what: str, kind: str
) -> None:
    body, action, detail = SAID[what]
    card(cards, "assistant.md", CARD.format("generic.mock").replace("function_tools: [tools.py:clock]\n", ""))
    async with Plays(body, kind=kind) as plays:
        configure({"generic": {"base_url": f"{plays.url}/v1", "api_key": "k"}})
        async with runtime(COHORT_LANES="1") as engine:
            with caplog.at_level(logging.WARNING), pytest.raises(TurnFailed) as failed:
                await engine.run(ask(1, "hello"), Screen())
    assert failed.value.action == action
    assert detail in failed.value.detail
    assert "model.false_success" in caplog.messages


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b'{"error": null}',
        b'{"error": "cut',
        b'["error"]',
        b'{"choices": [], "error": {"code": 500}}',
        b'{"output": [], "error": {"code": "x"}}',
        b'{"content": [{"text": "an \\"error\\""}]}',
        b'{"error": "' + b"y" * 70_000 + b'"}',
    ],
)
def test_what_may_be_an_answer_is_none_of_it(body: bytes) -> None:
    assert _status_of(body) is None


@pytest.mark.parametrize("code", [200, "99", "12345", "\u0663\u0663\u0663", [], {}, True, 4.5])
def test_an_error_whose_number_is_none_is_the_server_s(code: object) -> None:
    assert _status_of(error(code=code)) == 500
