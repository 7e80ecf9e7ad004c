"""Opens the runtime with the operator's cards, or, where these cannot be used, with the ones that were kept.

Which of both is used is said by ``Engine.sets.stand_ins``, and ``come_back`` reads the operator's again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from tasks.config.settings import Settings
from tasks.errors import CohortError, Misconfigured
from tasks.operator_files import kept_cards
from tasks.operator_files.agent_files import SECRETS
from tasks.operator_files.watched import LOOK_EVERY_S, stamp_of
from workers.runtime.engine import Engine
from workers.runtime.servers.health import Alert

log = logging.getLogger("cohort.runtime")

type Stamps = tuple[tuple[Path, object], ...]


async def opened(stack: AsyncExitStack, settings: Settings, make: Callable[[Settings], Engine]) -> Engine:
    """Enter an engine, which is left with the stack.

    Args:
        stack: Of the task that has to leave it.
        settings: The operator's.
        make: Makes the engine with settings.

    Raises:
        Misconfigured: neither the operator's cards can be used nor such as were kept.
    """
    try:
        return await stack.enter_async_context(make(settings))
    except Misconfigured as problem:
        why = problem
    for kept in await asyncio.to_thread(lambda: list(kept_cards.kept(settings))):
        try:
            engine = await stack.enter_async_context(make(kept))
        except Misconfigured as problem:
            log.info("cards.kept_unusable", extra={"problem": str(problem)})
            continue
        engine.sets.common.registry.stand_in(settings, str(why))
        for line in str(why).splitlines():
            log.error("cards.kept", extra={"problem": line})
        return engine
    raise why


async def come_back(
    engine: Engine,
    reload: Callable[[], Awaitable[object]],
    *,
    alert: Alert,
    end: Callable[[], None],
    every_s: float = LOOK_EVERY_S,
) -> None:
    """Look whether the operator's cards were mended where kept ones are used, until cancelled.

    Those of a bot's own are read. Those of all end this worker: fast-agent reads them, and the configuration, once.

    Args:
        engine: May use cards that were kept.
        reload: Has the cards read.
        alert: Tells the operator, once for each cause.
        end: Ends this worker.
        every_s: How often to look.
    """
    told: list[str] = []
    # A file that was mended before this is seen when it is written again, or by `cohort cards reload`: an agent that
    # cannot be made of cards without a fault would end worker after worker.
    seen = await asyncio.to_thread(_stamps, engine.sets.wanted)
    while not engine.sets.mended:
        if (why := engine.sets.stand_ins) and why != told:
            await alert("agent cards", f"{why[0]}. Workers that start go on with the agents of before")
            told = why
        await asyncio.sleep(every_s)
        if why and (now := await asyncio.to_thread(_stamps, engine.sets.wanted)) != seen:
            seen = now
            with suppress(CohortError):  # what is wrong was told
                await reload()
            if engine.sets.mended or len(engine.sets.stand_ins) < len(why):
                log.warning("cards.mended", extra={"restarts": engine.sets.mended})
    end()


def _stamps(wanted: Sequence[Settings]) -> Stamps:
    """What changes with the operator's files."""
    paths = list[Path]()
    for settings in wanted:
        paths += (settings.config, *(settings.config.with_name(name) for name in SECRETS))
        paths += kept_cards.files(settings.cards)
    return tuple((path, stamp_of(path)) for path in paths)
