"""Whether a Redis is set to lose data: what ``cohort up`` warns of and ``cohort doctor`` reports."""

from collections.abc import Mapping
from typing import Any

from tasks.store import Store
from tasks.store.redis import guard, text

_ASKED = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy")


async def configured(store: Store) -> Mapping[str, str]:
    """The settings of this Redis that decide whether it loses data; empty where it does not tell (managed ones).

    Raises:
        StoreUnavailable: it is away.
    """
    with guard():
        try:
            told: Mapping[Any, Any] = await store.redis.config_get(*_ASKED)
        except Exception as problem:
            # A managed Redis renames or forbids CONFIG; what it says of that differs.
            if "CONFIG" in str(problem).upper() or "PERM" in str(problem).upper():
                return {}
            raise
    return {text(name): text(value) for name, value in told.items()}


def weaknesses(facts: Mapping[str, str]) -> tuple[str, ...]:
    """One sentence for each way in which a Redis so configured may lose accepted messages (pure)."""
    found: list[str] = []
    if facts.get("appendonly") == "no":
        found.append("Redis has appendonly off: its crash loses accepted messages (CONFIG SET appendonly yes)")
    elif facts.get("appendfsync") == "no":
        found.append("Redis has appendfsync no: a power cut loses the last half minute (CONFIG SET appendfsync always)")
    elif facts.get("appendfsync") == "everysec":
        found.append("Redis has appendfsync everysec: a crash may lose a second (CONFIG SET appendfsync always)")
    policy = facts.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        found.append(f"Redis throws away what it likes when full: maxmemory-policy is {policy}, set noeviction")
    return tuple(found)
