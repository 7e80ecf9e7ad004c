"""Redis settings that can lose accepted messages: ``cohort up`` warns of them, ``cohort doctor`` reports them."""

from collections.abc import Mapping
from typing import Any

from tasks.store import Store
from tasks.store.redis import guard, text

_ASKED = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy")


async def configured(store: Store) -> Mapping[str, str]:
    """The persistence and eviction settings of this Redis; empty where it hides them, as managed ones do.

    Raises:
        StoreUnavailable: Redis is away.
    """
    with guard():
        try:
            told: Mapping[Any, Any] = await store.redis.config_get(*_ASKED)
        except Exception as problem:
            # A managed Redis renames or forbids CONFIG; the error's text differs by provider.
            if "CONFIG" in str(problem).upper() or "PERM" in str(problem).upper():
                return {}
            raise
    return {text(name): text(value) for name, value in told.items()}


def weaknesses(facts: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence for each setting with which Redis may lose accepted messages (pure)."""
    found: list[str] = []
    if facts.get("appendonly") == "no":
        found.append("Redis has appendonly off: its crash loses accepted messages (CONFIG SET appendonly yes)")
    elif facts.get("appendfsync") == "no":
        found.append("Redis has appendfsync no: a power cut loses the last half minute (CONFIG SET appendfsync always)")
    elif facts.get("appendfsync") == "everysec":
        found.append("Redis has appendfsync everysec: a crash may lose a second (CONFIG SET appendfsync always)")
    policy = facts.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        found.append(f"Redis evicts keys when it is full: maxmemory-policy is {policy}, set noeviction")
    return tuple(found)
