"""Hooks that cards bring (``tool_hooks``, ``lifecycle_hooks``): one that raises is for the operator to mend.

Such a hook ends the turn, but for one after a tool call, which changes nothing; ``on_start`` keeps a lane from being
made, ``on_shutdown`` changes nothing. fast-agent tells of it on a
console only; of one before a tool call it makes an answer that is an error, so the words of ``HookFailed`` say which.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from fast_agent.hooks.lifecycle_hook_loader import AgentLifecycleHooks

log = logging.getLogger("cohort.runtime")

type Hook = Callable[[Any], Awaitable[None]]


class HookFailed(Exception):  # noqa: N818 - an event
    """A hook raised. ``hook``: which one, and what, for the operator."""

    def __init__(self, hook: str) -> None:
        super().__init__(hook)
        self.hook = hook


def tool_hook(original: Callable[..., Any]) -> Callable[..., Any]:
    """``_create_hook_wrapper``, for hooks of tools and turns."""

    def create_hook_wrapper(
        hook_func: Hook, hook_type: str, *, hook_name: str | None = None, hook_spec: str | None = None
    ) -> Callable[..., Awaitable[None]]:
        name = hook_spec or hook_name or getattr(hook_func, "__name__", "")
        return original(_guarded(hook_func, hook_type, name), hook_type, hook_name=hook_name, hook_spec=hook_spec)

    return create_hook_wrapper


def lifecycle(original: Callable[..., AgentLifecycleHooks]) -> Callable[..., AgentLifecycleHooks]:
    """``load_lifecycle_hooks``."""

    def load_lifecycle_hooks(hooks_config: Any, base_path: Any = None) -> AgentLifecycleHooks:
        loaded = original(hooks_config, base_path)
        named: dict[str, Hook | None] = {"on_start": loaded.on_start, "on_shutdown": loaded.on_shutdown}
        return AgentLifecycleHooks(
            **{kind: hook and _guarded(hook, kind, str(hooks_config[kind])) for kind, hook in named.items()}
        )

    return load_lifecycle_hooks


def _guarded(hook_func: Hook, hook_type: str, name: str) -> Hook:
    @wraps(hook_func)
    async def guarded(ctx: Any) -> None:
        try:
            await hook_func(ctx)
        except Exception as problem:
            hook = f"hook {hook_type} ({name}) raised {type(problem).__name__}"
            log.exception("hook.failed", extra={"hook": hook_type, "spec": name, "error": type(problem).__name__})
            raise HookFailed(hook) from problem

    return guarded
