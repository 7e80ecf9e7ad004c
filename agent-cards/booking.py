"""The tools of the concierge card: a restaurant that exists nowhere else."""  # noqa: INP001 - a folder of cards, not a package

from cohort import current_call

TABLES = {2: ("18:30", "19:00", "20:30"), 4: ("19:00", "20:30"), 6: ("20:30",)}
"""Seats of a table, and when one is free tonight."""


def _free(people: int) -> tuple[str, ...]:
    seats = min((size for size in TABLES if size >= people), default=None)
    return TABLES[seats] if seats is not None and people > 0 else ()


def free_tables(people: int) -> str:
    """When a table is free tonight.

    Args:
        people: How many will come.
    """
    times = _free(people)
    return ", ".join(times) if times else f"No table is free for {people} tonight; the largest seats {max(TABLES)}."


def book_table(people: int, time: str) -> str:
    """Book a table for tonight. A person is asked before it happens.

    Args:
        people: How many will come.
        time: One of the free times, as HH:MM.
    """
    if time not in _free(people):
        return f"Not booked: no table for {people} is free at {time}. Free: {free_tables(people)}"
    # The same number in each try of this call: a real restaurant gets the key, and books once.
    return f"Booked: a table for {people} at {time}. Reservation {current_call().key[:6].upper()}."
