"""What is wrong with cards, in lines for the operator: before agents are made of them, and when none can be made."""

import logging

from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files.agent_files import documents
from workers.runtime.cards import checks as cards

log = logging.getLogger("cohort.runtime")


def check(settings: Settings, *, whole: bool = True) -> None:
    """Refuse cards that fast-agent would accept in silence.

    Args:
        settings: The settings, with the cards.
        whole: As for ``check_cards``. Where anything is wrong, all of it is told in any case.

    Raises:
        Misconfigured: one line for each problem.
    """
    for path in documents(settings.cards) if settings.cards.is_dir() else ():
        log.info("card.ignored", extra={"file": path.name})
    problems = cards.check_cards(settings, whole=whole)
    if problems:
        problems = problems if whole else cards.check_cards(settings)
        raise Misconfigured("\n".join(str(problem) for problem in problems))
    for note in cards.notes(settings):
        log.warning("card.incomplete", extra={"note": note})


def misconfigured(settings: Settings, problem: BaseException) -> Misconfigured:
    """The error of a start at which no lane can be made."""
    return Misconfigured(f"{settings.cards}: no agent can be made: {why_no_agent(problem.__cause__ or problem)}")


def why_no_agent(problem: BaseException) -> str:
    """Why no agent can be made of cards that look right, in one line for the operator."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    # fast-agent's: what it is, and below it why.
    return ": ".join(lines[:2]) or type(problem).__name__
