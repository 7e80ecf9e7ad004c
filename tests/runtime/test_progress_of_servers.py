"""MCP servers tell how far their tools are, and it is shown."""

import pytest

from tests.runtime.support import Open, Screen, ask


@pytest.mark.promise("steps-shown")
async def test_the_progress_that_a_server_tells_reaches_the_sink(runtime: Open, serve) -> None:
    serve("slow")
    screen = Screen()
    async with runtime() as engine:
        result = await engine.run(ask(1, "CALL:count{}"), screen)
    assert "no count" in result.text
    assert [(step.state, step.done, step.total) for step in screen.steps] == [
        ("running", 0.0, None),
        ("running", 1.0, 3.0),
        ("running", 2.0, 3.0),
        ("running", 3.0, 3.0),
        ("done", 3.0, 3.0),
    ]
    assert {step.tool for step in screen.steps} == {"count"}


async def test_a_tool_that_fails_is_a_failed_step(runtime: Open, serve) -> None:
    serve("slow")
    screen = Screen()
    async with runtime() as engine:
        await engine.run(ask(1, 'CALL:count{"text": "x"}'), screen)
    assert (screen.steps[-1].tool, screen.steps[-1].state) == ("count", "failed")
