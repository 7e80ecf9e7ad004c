"""A remote agent (`type: a2a`) that is away at the start is missing alone, and comes back by itself."""

import json
from pathlib import Path

import pytest

from tests.runtime.support import Open, Screen, ask, card
from tests.support.ports import free_port
from tests.support.wire import HttpServer, Request
from workers.interfaces import TurnFailed
from workers.runtime.patches.remote_agents import away


class Remote(HttpServer):
    """Speaks A2A: gives its card, and answers each message."""

    async def handle(self, request: Request) -> None:
        if request.path == "/.well-known/agent-card.json":
            binding = {"url": f"{self.url}/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
            await request.respond({
                "name": "far", "description": "far away", "version": "1", "supportedInterfaces": [binding],
            })  # fmt: skip
            return
        asked = json.loads(request.body)
        message = {"messageId": "1", "role": "ROLE_AGENT", "parts": [{"text": "from afar"}]}
        await request.respond({"jsonrpc": "2.0", "id": asked["id"], "result": {"message": message}})


@pytest.mark.promise("remote-agent-away")
async def test_a_remote_agent_that_is_away_at_the_start_is_missing_alone_and_answers_when_it_is_there(
    runtime: Open, cards: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    card(cards, "far.md", f"---\ntype: a2a\nname: far\nurl: http://127.0.0.1:{port}\nstreaming: false\n---\n")
    async with runtime(COHORT_LANES="1") as engine:
        assert engine.agents == ("assistant", "far")
        assert (await engine.run(ask(1, "hi"), Screen())).text
        for _ in range(2):
            with pytest.raises(TurnFailed) as failed:
                await engine.run(ask(1, "hi", agent="far"), Screen())
            assert failed.value.action == "retry"
        assert away() == ("far",)
        assert (await engine.run(ask(1, "hi"), Screen())).text
        async with Remote(port=port):
            assert (await engine.run(ask(1, "hi", agent="far"), Screen())).text == "from afar"
            assert away() == ()
    told = [record.message for record in caplog.records if record.message.startswith("remote_agent.")]
    assert told == ["remote_agent.away", "remote_agent.back"]
    assert str(port) not in caplog.text.replace("kept", "")
