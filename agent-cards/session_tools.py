"""Tools of the cards that know the chat they are used in: questions, notes and reminders."""  # noqa: INP001 - a folder of cards, not a package

from workers.runtime.tools import session_tools as tools


async def ask_user(question: str, choices: list[str] | None = None) -> str:
    """Ask the person a question and wait for the answer, however long it takes.

    Args:
        question: What to ask, in full.
        choices: Up to 8 answers to choose from. Leave it out where any words may be the answer.
    """
    return await tools.ask_user(question, choices or [])


async def remember(topic: str, note: str) -> str:
    """Keep a note about this conversation for later, also after its history was cleared.

    Args:
        topic: A few words to find it by; a note on the same topic replaces the one before.
        note: What to remember. Empty forgets the topic.
    """
    return await tools.remember(topic, note)


async def recall() -> str:
    """All notes kept about this conversation."""
    return await tools.recall()


async def remind_me(about: str, minutes: float = 0, when: str = "", timezone: str = "") -> str:
    """Have this conversation reminded of something later, once.

    Args:
        about: What to be reminded of, in full, as it will be read then.
        minutes: From now ("in 90 minutes").
        when: In place of it a date and time of the person's clocks, as YYYY-MM-DD HH:MM ("tomorrow at nine").
        timezone: An IANA name. Leave it empty unless the person named a place or has just told where they are.
    """
    return await tools.remind_me(about, minutes, when, timezone)


async def remind_again(about: str, rule: str, at: str = "", timezone: str = "") -> str:
    """Have this conversation reminded of something again and again, until the person cancels it with /reminders.

    Args:
        about: What to be reminded of, in full, as it will be read then.
        rule: When, as an RRULE of RFC 5545: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR or FREQ=MONTHLY;BYMONTHDAY=1.
        at: The time of day as HH:MM, in the person's time zone.
        timezone: An IANA name. Leave it empty unless the person named a place or has just told where they are.
    """
    return await tools.remind_again(about, rule, at, timezone)
