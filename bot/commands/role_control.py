"""What a person's role may use (pure): commands, and the agents and models that commands choose."""

from collections.abc import Mapping

from bot.updates.commands import UNKNOWN, parse
from bot.updates.meaning import Incoming
from tasks.chats.choices import DEFAULT
from tasks.chats.command_names import ASKS
from tasks.chats.roles import Role, RoleRules, RuleKind, only, outranks
from tasks.phrases import phrase

_WORDS = frozenset({"stop", "new", "compact", "retry", "undo"})
"""Kinds of messages that are commands of that name."""
_FOR_MEMBERS = ("agent", "model")
"""Commands that guests may not use where the operator's file says nothing of them."""
CHOSEN: Mapping[str, RuleKind] = {"agent": "agents", "model": "models"}
"""Commands that choose, and the kind of what they choose."""


def role_refusal(rules: RoleRules, heard: Incoming, role: Role | None) -> str | None:
    """What a person hears whose role may not do this; None when it may.

    Args:
        rules: The operator's.
        heard: What they say.
        role: Theirs.
    """
    name, chosen = _command(heard), heard.inbound.choice
    if name is None:
        return None
    if refuses(rules, name, role):
        least = rules.least("commands", name)
        return phrase("guests") if least is None else only(least, f"/{name}")
    wanted = chosen.get(name, "") if heard.inbound.kind == "choose" else ""
    if name in CHOSEN and wanted and wanted.lower() != DEFAULT:
        refusing = rules.refuses(CHOSEN[name], role, wanted)
        return only(refusing, wanted) if refusing is not None else None
    return None


def refuses(rules: RoleRules, name: str, role: Role | None) -> bool:
    """Whether a command is refused to a role, whatever stands behind it."""
    least = rules.least("commands", name)
    if least is None:
        return name in _FOR_MEMBERS and role == "guest"
    return role is None or outranks(least, role)


def _command(heard: Incoming) -> str | None:
    """The command that it is; None for what is none, an answer to a question among it."""
    inbound, ask = heard.inbound, heard.ask
    if ask is not None and ask.name == UNKNOWN:
        return ask.argument.lower()
    if inbound.kind in _WORDS:
        return inbound.kind
    if inbound.kind in ("choose", "conversation"):
        return next(iter(inbound.choice), None)
    if ask is not None:
        return ask.name if ask.name in ASKS else None
    said = parse(inbound.text) if inbound.kind == "message" and not inbound.described else None
    return said.name if said is not None else None
