"""A picture that a model drew before it called a tool comes once, also when the turn goes on after its worker died."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.steps import MemorySteps
from tests.runtime.streams import Plays, google, sse
from tests.runtime.support import Configure, Open, Screen, ask, card
from tests.runtime.test_model_pictures import LARGE, SMALL, drawn, kept_in, speaks

CARD = "---\nname: assistant\nfunction_tools: [clock.py:clock]\n---\nDraw.\n"
CLOCK = 'def clock() -> str:\n    """Tell the time."""\n    return "noon"\n'


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("body", [SMALL, LARGE])
async def test_it_comes_again_with_the_models_answer(
    runtime: Open, configure: Configure, cards: Path, tmp_path: Path, body: bytes
) -> None:
    card(cards, "clock.py", CLOCK)
    card(cards, "assistant.md", CARD)
    call: dict[str, Any] = {"functionCall": {"name": "clock", "args": {}}}
    asks = sse(
        google({"text": "A cat. "}, counted=False), google(drawn(body), counted=False), google(call, finish="STOP")
    )
    ends = sse(google({"text": "It is noon."}, finish="STOP"))
    async with (
        Plays(asks, ends, ends) as server,
        runtime(COHORT_MODEL=speaks(server, configure)) as engine,
    ):
        asked, whole = ask(1, "draw a cat and tell the time"), MemorySteps()
        done = await engine.run(replace(asked, steps=whole), Screen())
        again = await engine.run(replace(asked, steps=MemorySteps(whole.kept)), Screen())
    assert len(server.calls) == 3, "the first answer is not asked for again"
    for result in (done, again):
        assert result.text.split() == ["A", "cat.", "It", "is", "noon."]
        (file,) = result.files
        assert file.name == "file-1.png"
        found = file.data is not None or await asyncio.to_thread(kept_in, tmp_path, file) == body
        assert found
