"""What a picture costs that a model draws: it is in the turn's tokens, whatever way its provider counts it."""

import base64
from typing import Any

import pytest

from tests.runtime.streams import Plays, google, item, output_text, response, sse
from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 100).decode()


def call(result: str | None = PNG, ident: str = "ig_1", **more: Any) -> dict[str, Any]:
    return {"type": "image_generation_call", "id": ident, "status": "completed", "result": result, **more}


def drawn(*calls: dict[str, Any], **more: Any) -> bytes:
    """A response whose own count is 5 tokens in and 2 out."""
    events: list[dict[str, Any]] = [{"type": "response.created", "response": response("in_progress")}]
    events += [{"type": "response.output_item.done", "output_index": 0, "item": one} for one in calls]
    whole = response("completed", *calls, item(output_text("Yes.")), **more)
    events.append({"type": "response.completed", "response": whole})
    return sse(*({**event, "sequence_number": number} for number, event in enumerate(events)))


def used(given: Any, made: Any) -> dict[str, Any]:
    return {"tool_usage": {"image_gen": {"input_tokens": given, "output_tokens": made}}}


COUNTED: list[tuple[str, list[dict[str, Any]], dict[str, Any], tuple[int, int]]] = [
    ("no picture", [], {}, (5, 2)),
    ("as its server says", [call(quality="high")], used(40, 1056), (45, 1058)),
    ("two, as the server says of both", [call(), call(ident="ig_2")], used(40, 2112), (45, 2114)),
    ("by size and quality", [call(size="1024x1536", quality="low")], {}, (5, 2 + 408)),
    ("two of them", [call(quality="medium"), call(ident="ig_2", quality="low")], {}, (5, 2 + 1056 + 272)),
    ("of no known quality", [call(size="auto", quality="auto")], {}, (5, 2 + 4160)),
    ("one that was not drawn", [call(None)], {}, (5, 2)),
    ("a count that is none", [call(quality="low")], used("many", -3), (5, 2 + 272)),
    ("a report that is none", [call(quality="low")], {"tool_usage": ["image_gen"]}, (5, 2 + 272)),
    ("a size that is none", [call(size="0x99999999")], {"tool_usage": None}, (5, 2 + 4160)),
]


@pytest.mark.promise("picture-costs")
@pytest.mark.parametrize(("calls", "more", "cost"), [row[1:] for row in COUNTED], ids=[row[0] for row in COUNTED])
async def test_a_picture_of_openais_tool_is_in_the_turns_tokens(
    runtime: Open, configure: Configure, calls: list[dict[str, Any]], more: dict[str, Any], cost: tuple[int, int]
) -> None:
    async with Plays(drawn(*calls, **more)) as server:
        configure({"responses": {"api_key": "secret-key", "base_url": server.url + "/v1", "transport": "sse"}})
        async with runtime(COHORT_MODEL="responses.gpt-5-mini") as engine:
            done = await engine.run(ask(1, "draw"), Screen())
    assert (done.usage.input_tokens, done.usage.output_tokens) == cost


@pytest.mark.promise("picture-costs")
async def test_a_picture_of_googles_model_is_counted_once_with_its_answer(runtime: Open, configure: Configure) -> None:
    chunk = google({"inlineData": {"mimeType": "image/png", "data": PNG}}, {"text": "Yes."}, finish="STOP")
    details = [{"modality": "TEXT", "tokenCount": 10}, {"modality": "IMAGE", "tokenCount": 1290}]
    chunk["usageMetadata"] = {
        "promptTokenCount": 5,
        "candidatesTokenCount": 1300,
        "candidatesTokensDetails": details,
        "totalTokenCount": 1305,
    }
    async with Plays(sse(chunk)) as server:
        configure({"google": {"api_key": "secret-key", "base_url": server.url + "/v1beta"}})
        async with runtime(COHORT_MODEL=PROVIDERS["google"][0]) as engine:
            done = await engine.run(ask(1, "draw"), Screen())
    assert (done.usage.input_tokens, done.usage.output_tokens) == (5, 1300)
