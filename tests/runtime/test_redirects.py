"""A model's server that answers with a redirect: a key and a conversation go nowhere else, and the operator is told."""

from pathlib import Path

import pytest

from tests.runtime.streams import CARD, chunk, sse
from tests.runtime.support import Configure, Open, Screen, ask, card
from tests.support.wire import HttpServer, Request
from workers.interfaces import TurnFailed

PROVIDERS = {
    "generic": ("generic.mock", "/v1"),
    "openai": ("openai.gpt-4.1-mini", "/v1"),
    "responses": ("responses.gpt-5-mini", "/v1"),
    "anthropic": ("anthropic.claude-haiku-4-5", ""),
    "google": ("google.gemini-2.5-flash", ""),
}


class Elsewhere(HttpServer):
    """Takes whatever comes."""

    calls = 0

    async def handle(self, request: Request) -> None:
        self.calls += 1
        await request.respond({"error": {"message": "thank you"}}, 400)


class Moved(HttpServer):
    """Leads to ``to``; behind ``/new`` it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.status, self.to = 307, ""

    async def handle(self, request: Request) -> None:
        if request.path.startswith("/new"):
            await request.respond(
                sse(chunk({"content": "All well."}), chunk({}, "stop")) + b"data: [DONE]\n\n",
                headers={"content-type": "text/event-stream"},
            )
        else:
            await request.respond(b"", self.status, {"location": self.to})


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_redirect_to_another_server_is_not_followed_and_told_to_the_operator(
    runtime: Open, configure: Configure, cards: Path, provider: str
) -> None:
    model, version = PROVIDERS[provider]
    card(cards, "assistant.md", CARD.format(model).replace("function_tools: [tools.py:clock]\n", ""))
    async with Elsewhere() as elsewhere, Moved() as moved:
        section: dict[str, object] = {"base_url": moved.url + version, "api_key": "secret-key"}
        configure({provider: {**section, **({"transport": "sse"} if provider == "responses" else {})}})
        async with runtime(COHORT_LANES="1") as engine:
            # The same machine at another port is another server, and so is another name of it.
            for moved.status, moved.to in (
                (307, f"{elsewhere.url}/x"),
                (308, f"http://localhost:{elsewhere.port}/x"),
                (302, f"{elsewhere.url}/x"),
            ):
                with pytest.raises(TurnFailed) as failure:
                    await engine.run(ask(1, "hello"), Screen())
                assert failure.value.action == "operator"
                assert "redirected" in failure.value.detail
        assert elsewhere.calls == 0


async def test_a_redirect_within_a_server_is_followed(runtime: Open, configure: Configure, cards: Path) -> None:
    card(cards, "assistant.md", CARD.format("generic.mock").replace("function_tools: [tools.py:clock]\n", ""))
    async with Moved() as moved:
        moved.to = "/new/chat/completions"
        configure({"generic": {"base_url": f"{moved.url}/v1", "api_key": "secret-key"}})
        async with runtime(COHORT_LANES="1") as engine:
            assert (await engine.run(ask(1, "hello"), Screen())).text == "All well."
            # One that leads back to where it stands ends.
            moved.to = "/v1/chat/completions"
            with pytest.raises(TurnFailed) as failure:
                await engine.run(ask(1, "hello"), Screen())
    assert failure.value.action == "operator"
