"""Remembered TLS contexts still check certificates: the right authority is trusted, a wrong one is not."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask
from tests.support.authority import Authority, authority
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.patches import tls

type Trust = Callable[[str | None], None]


@pytest.fixture
def authorities(tmp_path: Path) -> dict[str, Authority]:
    return {name: authority(tmp_path, name) for name in ("ours", "theirs")}


@pytest.fixture
def trust(authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch) -> Trust:
    """Trust an authority by its name, or only the system's."""

    def change(name: str | None) -> None:
        if name is None:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        else:
            monkeypatch.setenv("SSL_CERT_FILE", str(authorities[name].roots))

    return change


@pytest.fixture
async def secure(authorities: dict[str, Authority]) -> AsyncGenerator[Model]:
    async with Model(ssl=authorities["ours"].server_context()) as served:
        yield served


async def outcome(engine: object, chat: int) -> str:
    """The answer, or the failure's detail."""
    try:
        return (await engine.run(ask(chat, "hello"), Screen())).text
    except TurnFailed as failure:
        return failure.detail


async def test_a_real_handshake_succeeds_with_the_right_authority_and_fails_with_another(
    runtime: Open, secure: Model, configure: Configure, trust: Trust
) -> None:
    configure({"generic": {"base_url": f"{secure.url}/v1", "api_key": "x"}})
    trust("ours")
    async with runtime() as engine:
        assert await outcome(engine, 1) == "echo: hello [n=1]"
        kept = tls.count()
        for chat in range(2, 6):
            assert await outcome(engine, chat) == "echo: hello [n=1]"
        assert tls.count() == kept, "the context is remembered"
        calls = len(secure.journal)
        trust("theirs")
        assert "API" in await outcome(engine, 6)
        trust(None)
        assert "API" in await outcome(engine, 7), "the system's authorities do not know ours"
        assert len(secure.journal) == calls


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_checks_the_certificate(
    runtime: Open, secure: Model, configure: Configure, trust: Trust, provider: str
) -> None:
    name, _, more = PROVIDERS[provider]
    secure.fault(status=404, times=None)
    configure({provider: {"base_url": f"{secure.url}/v1", "api_key": "x", **more}})
    async with runtime(COHORT_MODEL=name) as engine:
        trust("theirs")
        refused = await outcome(engine, 1)
        trust("ours")
        reached = await outcome(engine, 2)
    assert "404" in reached, "the handshake succeeded: the server could say no"
    assert "404" not in refused
    assert refused.startswith(name)
