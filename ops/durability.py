"""Redis settings that can lose accepted messages: ``cohort up`` warns of them, ``cohort doctor`` reports them."""

from collections.abc import Mapping
from typing import Any

from tasks.redis_url import sentinels
from tasks.settings import Settings


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


def failover_risk(info: Mapping[str, Any], settings: Settings) -> tuple[str, ...]:
    """One sentence when a failover of this Redis may lose what it has confirmed (pure).

    Args:
        info: The server's INFO.
        settings: Where it is, and how many replicas are waited for.
    """
    replicas = int(info.get("connected_slaves", 0) or 0)
    watched = sentinels(settings.redis_url or "") is not None
    if settings.wait_replicas or not (replicas or watched):
        return ()
    where = "is behind Sentinel" if watched else f"has {replicas} replica{'s' if replicas > 1 else ''}"
    lost = "messages that were confirmed to Telegram, and commits, so that answers come twice"
    return (f"Redis {where}, and COHORT_WAIT_REPLICAS is 0: a failover may lose {lost} (set COHORT_WAIT_REPLICAS=1)",)
