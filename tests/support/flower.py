"""A Flower of our own, as `cohort flower` starts it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from ops.environment import needed
from ops.up.plan import flower_command
from tests.harness.command import clean
from tests.harness.supervising import PATIENCE
from tests.support.ports import free_port


@asynccontextmanager
async def started(redis_url: str, tmp_path: Path, **extra: str) -> AsyncIterator[str]:
    """A Flower with these variables; its URL."""
    port = free_port()
    environ = {**clean(tmp_path), "REDIS_URL": redis_url, **extra}
    process = await asyncio.create_subprocess_exec(
        *flower_command(port), cwd=tmp_path, env=needed("flower", environ), stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        patient = httpx.AsyncHTTPTransport(retries=10)
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(transport=patient, timeout=60) as http:
            await http.get(f"{url}/healthcheck")
        yield url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
