"""Redis settings that can lose accepted messages: ``cohort up`` warns of them, ``cohort doctor`` reports them."""

from collections.abc import Mapping
from typing import Any

from tasks.config.redis_url import sentinels
from tasks.config.settings import Settings


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
        found.append(_evicts(policy))
    return tuple(found)


def _evicts(policy: str) -> str:
    return f"Redis evicts keys when it is full: maxmemory-policy is {policy}, set noeviction"


def risks(info: Mapping[str, Any]) -> tuple[str, ...]:
    """What may lose data later and has not yet, a sentence each (pure). ``info``: the server's INFO."""
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction" or not int(info.get("maxmemory", 0) or 0) or int(info.get("evicted_keys", 0) or 0):
        return ()
    return (_evicts(policy),)


def refusals(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Why Redis refuses writes now, a sentence each, with what to do (pure). ``info``: the server's INFO."""
    found: list[str] = []
    most, policy = int(info.get("maxmemory", 0) or 0), str(info.get("maxmemory_policy", "noeviction"))
    if str(info.get("loading", "0")) == "1":
        found.append("Redis is loading its data, and refuses everything until it has")
    if most and int(info.get("used_memory", 0) or 0) >= most and policy == "noeviction":
        found.append(f"Redis is full and refuses writes: raise maxmemory ({most:,} bytes)")
    if policy != "noeviction" and (gone := int(info.get("evicted_keys", 0) or 0)):
        found.append(
            f"Redis was full and took away {gone:,} keys (maxmemory-policy {policy}): messages and conversations are "
            "lost; set noeviction and raise maxmemory"
        )
    if info.get("role") == "slave":
        where = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        found.append(f"Redis is a read-only replica of {where}: REDIS_URL must lead to the master")
    if "err" in {info.get("aof_last_write_status"), info.get("rdb_last_bgsave_status")}:
        found.append(
            "Redis could not write its own files, and may refuse writes: see its log, and free space on its disk"
        )
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
