"""The operator's agent cards as the commands need them: all of them, and the models that they name."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tasks.config.settings import Settings
from tasks.operator_files import agent_files, kept_cards
from tasks.operator_files.agent_files import BadFile, Card


def configuration(settings: Settings) -> dict[str, Any]:
    """fast-agent's configuration with its secrets merged in.

    Raises:
        BadFile: a file is missing or cannot be read.
    """
    return agent_files.configuration(settings.config)


def cards(settings: Settings) -> list[Card]:
    """The cards, in order of their files' names.

    Raises:
        BadFile: the directory is missing, holds no card, or a card cannot be read.
    """
    found = [agent_files.read_card(path) for path in agent_files.card_files(settings.cards)]
    if not found:
        raise BadFile(settings.cards, None, "there is no card in it", "add one, or set COHORT_CARDS")
    return found


def readable(settings: Settings) -> Settings:
    """These settings; where cards or configuration cannot be read, with those that were kept, as workers do.

    Raises:
        BadFile: there are none that can be read either.
    """
    try:
        return _read(settings)
    except BadFile:
        for kept in kept_cards.kept(settings):
            with suppress(BadFile):
                return _read(kept)
        raise


def _read(settings: Settings) -> Settings:
    configuration(settings)
    cards(settings)
    return settings


def card_models(settings: Settings) -> list[str | None]:
    """The model that each card names; None where it names none. Workflows that need no model are left out."""
    return [_model(card.head) for card in cards(settings) if card.type not in _WITHOUT_MODEL]


def _model(head: Mapping[str, Any]) -> str | None:
    model = head.get("model")
    return str(model) if model else None


_WITHOUT_MODEL = frozenset({"a2a", "chain", "evaluator_optimizer", "maker", "parallel"})
