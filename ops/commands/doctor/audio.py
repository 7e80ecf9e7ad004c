"""Whether the servers that write recordings down and speak answers are there, take the key and have the model."""

import json
from collections.abc import Mapping
from typing import Any, cast

import httpx

from ops.commands.finding import Finding
from ops.context import Context
from workers.audio_server import OPENAI, key_for

_LONGEST = 4 * 2**20
"""Bytes of a list of models."""
_REFUSED = frozenset({401, 403})


async def audio(here: Context, http: httpx.AsyncClient) -> list[Finding]:
    """The server of each setting that names a model. Its list of models is asked for, which costs nothing."""
    own = here.settings
    wanted = (
        ("COHORT_TRANSCRIBE", own.transcribe, own.transcribe_url, own.transcribe_key),
        ("COHORT_VOICE", own.voice, own.voice_url, own.voice_key),
    )
    return [
        await _server(setting, model, (url or OPENAI, key_for(url, key, here.environ)), http)
        for setting, model, url, key in wanted
        if model is not None
    ]


async def _server(setting: str, model: str, server: tuple[str, str | None], http: httpx.AsyncClient) -> Finding:
    url, key = server
    # Not the address: it may hold a password.
    place = "OpenAI" if url == OPENAI else f"the server of {setting}_URL"
    if url == OPENAI and key is None:
        do = f"set {setting}_KEY or OPENAI_API_KEY, or {setting}_URL for another server"
        return Finding(setting, "problem", f"{model} at OpenAI, and there is no key", do)
    try:
        status, known = await _models(url, key, http)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        seen = f"{place} does not answer ({type(problem).__name__})"
        return Finding(setting, "problem", seen, f"start it, or check {setting}_URL and the network")
    if status in _REFUSED:
        return Finding(setting, "problem", f"{place} refuses the key (status {status})", f"check {setting}_KEY")
    if known and model not in known:
        return Finding(setting, "warning", f"{place} does not list {model}", f"set {setting} to one that it has")
    return Finding(setting, "ok", f"{place} {f'has {model}' if known else 'answers'}")


async def _models(url: str, key: str | None, http: httpx.AsyncClient) -> tuple[int, frozenset[str]]:
    """The status, and the ids of the models; none where the server has no such list."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with http.stream("GET", f"{url}/models", headers=headers) as answer:
        read = bytearray()
        async for piece in answer.aiter_bytes():
            read += piece
            if len(read) > _LONGEST:
                break
    return answer.status_code, _listed(bytes(read)) if answer.is_success else frozenset()


def _listed(body: bytes) -> frozenset[str]:
    try:
        told: Any = json.loads(body)
    except ValueError:
        return frozenset()
    entries: Any = told.get("data") if isinstance(told, Mapping) else None
    models = cast("list[Any]", entries) if isinstance(entries, list) else []
    return frozenset(str(cast("Any", one)["id"]) for one in models if isinstance(one, Mapping) and "id" in one)
