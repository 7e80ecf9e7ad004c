"""Which slot a session has, and which worker owns which slot (pure)."""

from collections.abc import Collection, Mapping
from zlib import crc32

from tasks.session import SessionKey


def slot_of(session: SessionKey | str, slots: int) -> int:
    """The session's slot, ``0 <= slot < slots``; the same on every machine and in every release."""
    return crc32(str(session).encode()) % slots


def queue_of(slot: int) -> str:
    """The Celery queue of a slot: ``chats.07``."""
    return f"chats.{slot:02d}"


def assign(slots: int, members: Collection[str], previous: Mapping[int, str]) -> dict[int, str]:
    """Give every slot to a live member: balanced within one slot, moving as few slots as possible.

    Args:
        slots: How many slots there are.
        members: The live incarnations. Without members no slot has an owner.
        previous: slot -> incarnation, as assigned so far; may name members that are gone.

    Returns:
        slot -> incarnation for every slot; equal for equal arguments, whatever the order of ``members``.
    """
    alive = sorted(set(members))
    if not alive:
        return {}
    held: dict[str, list[int]] = {member: [] for member in alive}
    homeless: list[int] = []
    for slot in range(slots):
        owner = previous.get(slot)
        held[owner].append(slot) if owner in held else homeless.append(slot)
    # Those who hold most keep the larger shares, so that the remainder moves nothing.
    floor, larger = divmod(slots, len(alive))
    by_load = sorted(alive, key=lambda member: (-len(held[member]), member))
    share = {member: floor + (1 if place < larger else 0) for place, member in enumerate(by_load)}
    for member in alive:
        homeless.extend(held[member][share[member] :])
        del held[member][share[member] :]
    homeless.sort()
    for member in by_load:
        missing = share[member] - len(held[member])
        held[member].extend(homeless[:missing])
        del homeless[:missing]
    return {slot: member for member, owned in held.items() for slot in owned}
