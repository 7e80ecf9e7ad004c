"""``cohort people``: who may use the bot, in which role, and what the operator's file keeps for which role."""

import json
from typing import Annotated

import typer

from ops.context import context, run
from tasks import chat_rules
from tasks.access import People, access_by, operators_word
from tasks.agent_files import BadFile
from tasks.roles import ROLES, RoleRules
from tasks.settings import Settings
from tasks.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("people")(people)


def people(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show who may use the bot, in which role, and what is kept for a role (`roles` in COHORT_CHATS)."""
    here = context()
    rules, problem = _rules(here.settings)
    known = run(here.read(_known))
    rows = [
        {"bot": bot, "id": who, "role": role, "name": name}
        for bot, seen in sorted(known.items())
        for role, name, who in _listed(here.settings, seen, rules)
    ]
    kept = {kind: getattr(rules, kind) for kind in ("commands", "agents", "models", "tools") if getattr(rules, kind)}
    if as_json:
        print(json.dumps({"people": rows, "everyone": rules.everyone, "roles": kept, "problem": problem}))
        return
    for row in rows:
        print(f"{row['role']:<8}  {row['id']}  {row['name']}".rstrip())
    if not rows:
        print("no one has a role yet; `cohort pair` makes a code that lets its first user in")
    for kind, lines in kept.items():
        print(f"{kind}: " + ", ".join(f"{name} ({role})" for name, role in lines.items()))
    if problem:
        print(f"the bot goes on with the rules of before: {problem}")


def _rules(settings: Settings) -> tuple[RoleRules, str | None]:
    """What the file says, or why it says nothing that can be used."""
    try:
        return chat_rules.read(settings.chats).roles, None
    except BadFile as problem:
        return RoleRules(), str(problem)


async def _known(store: Store) -> dict[int, People]:
    """Every bot that runs or ran lately."""
    bots = {status.bot for status in (await store.bots.look()).values() if status.bot}
    return {bot: await store.people.look(bot) for bot in bots}


def _listed(settings: Settings, seen: People, rules: RoleRules) -> list[tuple[str, str, int]]:
    """(role, name, id) of each person and group, the highest first."""
    word = seen.operator or operators_word(settings)
    access = access_by(word, seen, rules.everyone)
    order = (*ROLES, "denied")
    found = [
        (access.role(who, who) or "denied", entry.name if (entry := seen.entries.get(who)) is not None else "", who)
        for who in {*seen.entries, *word.allow, *word.admins}
    ]
    return sorted(found, key=lambda one: (order.index(one[0]), one[1].casefold(), one[2]))
