"""Roles, and what the operator's file says that each may use (pure): commands, agents, models and tools."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, field_validator

from tasks.phrases import phrase

type Role = Literal["owner", "admin", "member", "guest"]
type RuleKind = Literal["commands", "agents", "models", "tools"]

ROLES: tuple[Role, ...] = ("owner", "admin", "member", "guest")
"""From the highest to the lowest."""

MOST_RULES = 1000
_ALWAYS = ("start", "help", "whoami", "stop")
"""Commands that a pattern does not take away: only their own name does."""


def outranks(one: Role, other: Role) -> bool:
    """Whether the first role is higher than the second."""
    return ROLES.index(one) < ROLES.index(other)


def lowest(roles: Iterable[Role]) -> Role:
    """The role that counts where several people ask together; without any the lowest one."""
    return ROLES[max(map(ROLES.index, roles), default=-1)]


type NameRules = Mapping[StrictStr, Role]
"""A name or a pattern -> the lowest role that may use what it fits."""


class RoleRules(BaseModel):
    """The file's ``roles``. What no line of it names is for each role, as without the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    everyone: Literal["member", "guest"] = "member"
    """The role of people whom ``COHORT_ACCESS=open`` lets in and no admin has given a role."""
    commands: NameRules = Field(default_factory=dict[str, Role], max_length=MOST_RULES)
    agents: NameRules = Field(default_factory=dict[str, Role], max_length=MOST_RULES)
    models: NameRules = Field(default_factory=dict[str, Role], max_length=MOST_RULES)
    tools: NameRules = Field(default_factory=dict[str, Role], max_length=MOST_RULES)
    """By a tool's own name, or with its server's: ``shop__refund``."""

    @field_validator("commands", "agents", "models", "tools", mode="before")
    @classmethod
    def _none_yet(cls, said: object) -> object:
        return {} if said is None else said

    def least(self, kind: RuleKind, *names: str) -> Role | None:
        """The lowest role that may use something; None where nothing is said of it.

        Args:
            kind: What it is.
            names: Its names. Of the patterns that fit one of them the longest counts, and of equally long ones the
                stricter.
        """
        rules: NameRules = getattr(self, kind)
        fitting = [
            (len(pattern), -ROLES.index(role))
            for pattern, role in rules.items()
            for name in names
            if _fits(kind, name, pattern)
        ]
        return ROLES[-max(fitting)[1]] if fitting else None

    def refuses(self, kind: RuleKind, role: Role | None, *names: str) -> Role | None:
        """The lowest role that may use something, where ``role`` may not; None: it may."""
        least = self.least(kind, *names) if getattr(self, kind) else None
        return least if least is not None and (role is None or outranks(least, role)) else None


def _fits(kind: RuleKind, name: str, pattern: str) -> bool:
    if kind == "commands":
        pattern = pattern.removeprefix("/").lower()
        return pattern == name or (name not in _ALWAYS and fnmatchcase(name, pattern))
    return fnmatchcase(name, pattern)


def only(least: Role, name: str) -> str:
    """What people hear: who may use something."""
    match least:
        case "owner":
            return phrase("only-owner", name=name)
        case "admin":
            return phrase("only-admins", name=name)
        case _:
            return phrase("only-members", name=name)
