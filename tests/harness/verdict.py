"""What the checker says of a history (pure)."""

from collections import Counter
from dataclasses import dataclass, field

from tests.harness.history import Violation
from tests.harness.steps import Steps


@dataclass(slots=True)
class Verdict:
    """``violations`` must be empty. The rest is counted: ``doubled`` replies (the legal duplicate), ``partials`` (a
    beginning of an answer whose worker died before it could store the message's id), ``apologies``, ``dead``. ``files``
    came to people, and as many of theirs were ``seen`` by a model;
    ``albums``: of people. ``heard`` and ``unheard``: voice messages in answers.
    ``customers``: messages to business accounts.
    """

    violations: list[Violation] = field(default_factory=list)
    doubled: Counter[str] = field(default_factory=Counter)
    partials: int = 0
    apologies: int = 0
    dead: int = 0
    messages: int = 0
    turns: int = 0
    wasted_calls: int = 0
    files: int = 0
    seen: int = 0
    albums: int = 0
    heard: int = 0
    unheard: int = 0
    customers: int = 0
    joined: int = 0
    edits: int = 0
    stopped: int = 0
    steps: Steps = field(default_factory=Steps)
