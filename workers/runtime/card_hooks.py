"""Hooks that cards bring (``tool_hooks``): one that raises is the operator's to mend, and is not tried again.

Such a hook ends the turn, but for one after a tool call, which changes nothing. fast-agent 0.10.46 tells of it on a
console only; of one before a tool call it makes an answer that is an error, so the words of ``HookFailed`` say which.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from fast_agent.tools import hook_loader

log = logging.getLogger("cohort.runtime")

_create = hook_loader._create_hook_wrapper  # pyright: ignore[reportPrivateUsage] # noqa: SLF001


class HookFailed(Exception):  # noqa: N818 - an event
    """A hook raised. ``hook``: which one, and what, for the operator."""

    def __init__(self, hook: str) -> None:
        super().__init__(hook)
        self.hook = hook


def install() -> None:
    """Take the place of fast-agent's function; again is harmless."""
    setattr(hook_loader, "_create_hook_wrapper", _create_hook_wrapper)  # noqa: B010


def _create_hook_wrapper(
    hook_func: Callable[[Any], Awaitable[None]],
    hook_type: str,
    *,
    hook_name: str | None = None,
    hook_spec: str | None = None,
) -> Callable[..., Awaitable[None]]:
    name = hook_spec or hook_name or getattr(hook_func, "__name__", "")

    @wraps(hook_func)
    async def guarded(ctx: Any) -> None:
        try:
            await hook_func(ctx)
        except Exception as problem:
            hook = f"hook {hook_type} ({name}) raised {type(problem).__name__}"
            log.exception("hook_failed", extra={"hook": hook_type, "spec": name, "error": type(problem).__name__})
            raise HookFailed(hook) from problem

    return _create(guarded, hook_type, hook_name=hook_name, hook_spec=hook_spec)
