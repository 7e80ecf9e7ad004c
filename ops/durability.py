"""Redis settings that can lose accepted messages: ``cohort up`` warns of them, ``cohort doctor`` reports them."""

from collections.abc import Mapping


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
