"""What the operator wrote for fast-agent, as far as we must know it: which models and keys it names."""

from collections.abc import Mapping
from typing import Any

from tasks import agent_files
from tasks.agent_files import Card
from tasks.errors import Misconfigured
from tasks.settings import Settings


def configuration(settings: Settings) -> dict[str, Any]:
    """The configuration file with the secrets file beside it merged in, section by section.

    Raises:
        Misconfigured: a file is missing or is not YAML.
    """
    if not settings.config.is_file():
        raise Misconfigured(f"COHORT_CONFIG: there is no file {settings.config}")
    return agent_files.configuration(settings.config)


def cards(settings: Settings) -> list[Card]:
    """The cards, in order of their files' names.

    Raises:
        Misconfigured: there are none, or one cannot be read.
    """
    if not settings.cards.is_dir():
        raise Misconfigured(f"COHORT_CARDS: there is no directory {settings.cards}")
    found = [agent_files.read_card(path) for path in agent_files.card_files(settings.cards)]
    if not found:
        raise Misconfigured(f"COHORT_CARDS: there is no card in {settings.cards}")
    return found


def card_models(settings: Settings) -> list[str | None]:
    """The model that each card names; a workflow does not need one."""
    return [_model(card.head) for card in cards(settings) if card.type not in _WITHOUT_MODEL]


def _model(head: Mapping[str, Any]) -> str | None:
    model = head.get("model")
    return str(model) if model else None


_WITHOUT_MODEL = frozenset({"a2a", "chain", "evaluator_optimizer", "maker", "parallel"})
