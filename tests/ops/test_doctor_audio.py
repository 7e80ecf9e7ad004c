"""`cohort doctor` on the servers of COHORT_TRANSCRIBE and COHORT_VOICE, over HTTP."""

from pathlib import Path

import httpx
import pytest

from ops.commands.doctor.audio import audio
from ops.context import Context
from ops.home import Home
from tasks.config.settings import load
from tests.support.ports import free_port
from tests.support.wire import HttpServer, Request

pytestmark = pytest.mark.promise("doctor-says")


class Speaker(HttpServer):
    """Lists one model to who has its key."""

    def __init__(self, status: int = 200, body: object = None) -> None:
        super().__init__()
        self.status, self.body, self.keys = status, body or {"data": [{"id": "tts-1"}, 7, {}]}, list[str]()

    async def handle(self, request: Request) -> None:
        assert (request.method, request.path) == ("GET", "/v1/models")
        self.keys.append(request.headers.get("authorization", ""))
        await request.respond(self.body, self.status)


async def found(url: str | None, model: str = "tts-1", **environ: str) -> list[tuple[str, str, str]]:
    variables = {"COHORT_VOICE": model, **({"COHORT_VOICE_URL": url} if url else {})}
    here = Context(load(variables), environ, Home(Path("nowhere")), None)
    async with httpx.AsyncClient() as http:
        return [(one.about, one.severity, one.seen) for one in await audio(here, http)]


@pytest.mark.parametrize(
    ("status", "body", "severity", "seen"),
    [
        (200, None, "ok", "has tts-1"),
        (200, {"data": [{"id": "kokoro"}]}, "warning", "does not list tts-1"),
        (200, {"data": []}, "ok", "answers"),
        (200, {"data": {"id": "tts-1"}}, "ok", "answers"),
        (200, ["tts-1"], "ok", "answers"),
        (200, b"<html>", "ok", "answers"),
        # Servers of speech alone have no list.
        (404, {"error": "no such path"}, "ok", "answers"),
        (401, {"error": "no"}, "problem", "refuses the key (status 401)"),
        (403, {"error": "no"}, "problem", "refuses the key (status 403)"),
    ],
)
async def test_doctor_says_what_a_server_of_voices_answers(status: int, body: object, severity: str, seen: str) -> None:
    async with Speaker(status, body) as server:
        told = await found(f"{server.url}/v1", OPENAI_API_KEY="not for others")
    assert told == [("COHORT_VOICE", severity, f"the server of COHORT_VOICE_URL {seen}")]
    assert server.keys == [""]


async def test_doctor_says_that_a_server_of_voices_is_not_there_or_has_no_key() -> None:
    away = "the server of COHORT_VOICE_URL does not answer (ConnectError)"
    assert await found(f"http://127.0.0.1:{free_port()}/v1") == [("COHORT_VOICE", "problem", away)]
    assert await found(None) == [("COHORT_VOICE", "problem", "tts-1 at OpenAI, and there is no key")]


async def test_doctor_asks_no_audio_server_where_no_setting_names_one_and_gives_each_its_key() -> None:
    async with Speaker() as server, httpx.AsyncClient() as http:
        settings = load({
            "COHORT_TRANSCRIBE": "tts-1",
            "COHORT_TRANSCRIBE_URL": f"{server.url}/v1",
            "COHORT_TRANSCRIBE_KEY": "theirs",
        })  # fmt: skip
        (one,) = await audio(Context(settings, {}, Home(Path("nowhere")), None), http)
        assert (one.about, one.severity, server.keys) == ("COHORT_TRANSCRIBE", "ok", ["Bearer theirs"])
        assert await audio(Context(load({}), {}, Home(Path("nowhere")), None), http) == []
