"""The server of recordings and voices: whom its refusals are told, and how long a busy one is waited for."""

import pytest

from tests.support.model import Model
from workers.audio_server import AudioFailed, AudioServer


@pytest.mark.promise("audio-refusals-are-told")
@pytest.mark.parametrize(("status", "told"), [(401, 1), (403, 1), (404, 1), (400, 0), (413, 0), (500, 0), (429, 0)])
async def test_operators_hear_of_a_refusal_that_they_can_mend(status: int, told: int) -> None:
    heard: list[tuple[str, str]] = []

    async def alert(cause: str, detail: str) -> None:
        heard.append((cause, detail))

    async with Model() as model, AudioServer(f"{model.url}/v1", None, 60, "COHORT_VOICE", alert) as server:
        model.audio.status = status
        with pytest.raises(AudioFailed, match=f"status {status}"):
            await server.post("/audio/speech", 100, json={})
    words = f"its server refuses with status {status}; check COHORT_VOICE, COHORT_VOICE_URL and COHORT_VOICE_KEY"
    assert heard == [("COHORT_VOICE", words)] * told


@pytest.mark.parametrize(
    ("asks", "tries"),
    [
        ({}, 2),
        ({"retry-after": "0"}, 2),
        ({"retry-after": "600"}, 1),
        ({"retry-after": "600.5"}, 1),
        ({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}, 1),
        ({"retry-after": "Fri, 01 Jan 1999 00:00:00 GMT"}, 2),
        ({"retry-after-ms": "600000", "retry-after": "0"}, 1),
        ({"retry-after-ms": "5", "retry-after": "600"}, 2),
        ({"retry-after": "9" * 400}, 2),
        ({"retry-after": "-5"}, 2),
        ({"retry-after": "soon"}, 2),
        ({"retry-after": "²"}, 2),
    ],
)
async def test_a_busy_server_is_asked_again_when_it_says_unless_that_is_too_late(
    asks: dict[str, str], tries: int
) -> None:
    async with Model() as model, AudioServer(f"{model.url}/v1", None, 60) as server:
        model.audio.status, model.audio.asks = 429, asks
        with pytest.raises(AudioFailed, match="status 429"):
            await server.post("/audio/speech", 100, json={})
        assert len(model.audio.spoken) == tries
