"""``cohort people``: who may use each bot, in which role, and what the operator's file keeps for which role."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from ops.commands.of_bot import OfBot, of_bot
from ops.context import Context, context, run
from tasks.bots import ServedBot
from tasks.chats.access import People, access_by, operators_word
from tasks.chats.roles import ROLES, Role, RoleRules
from tasks.config.settings import Settings
from tasks.errors import Misconfigured
from tasks.operator_files import chat_rules
from tasks.operator_files.agent_files import BadFile
from tasks.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("people")(people)


@dataclass(frozen=True, slots=True)
class _Bot:
    """A bot, with its own settings and rules."""

    id: int
    name: str
    """In ``COHORT_BOTS``; "" where it does not stand there."""
    settings: Settings
    rules: RoleRules
    problem: str | None
    """Why the file says nothing that can be used."""


def people(
    *,
    bot: OfBot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    remove: Annotated[
        int | None, typer.Option(help="Take away what was decided about this id, also an owner's role.")
    ] = None,
) -> None:
    """Show who may use each bot, in which role, and what is kept for a role (`roles` in COHORT_CHATS)."""
    here = context()
    if remove is not None:
        run(_remove(here, bot, remove))
        return
    named = here.bots_that_can_be_read()

    async def work(store: Store) -> dict[int, People]:
        of = await of_bot(here, store, bot)
        known = await _known(here.settings, named, store)
        return known if of is None else {of: known.get(of) or await store.people.look(of)}

    known = run(here.read(work))
    bots = {one: _bot(one, here.settings, named) for one in known}
    rows = [
        {"bot": one, "id": who, "role": role, "name": name}
        for one, seen in known.items()
        for role, name, who in _listed(bots[one], seen)
    ]
    rules, problem = _rules(here.settings)
    if as_json:
        of_bots = [{"bot": one.id, "name": one.name, **_told(one.rules, one.problem)} for one in bots.values()]
        print(json.dumps({"people": rows, **_told(rules, problem), "bots": of_bots}))
        return
    several = len(bots) > 1 or bool(named)
    for one in bots.values() if several else ():
        print(f"{one.name or '-'} ({one.id}):")
        _say([row for row in rows if row["bot"] == one.id], one.rules, one.problem, one.name)
    if not several:
        _say(rows, rules, problem, "")


async def _remove(here: Context, bot: str | None, who: int) -> None:
    """No admin can take the role of an owner: one who lost the account is a stranger again by this word alone."""
    async with here.store() as store:
        of = await of_bot(here, store, bot) or here.one_bot(None).bot_id
        if not await store.people.remove(of, who):
            raise Misconfigured(f"{who}: nothing was decided about it here; see COHORT_ALLOW and COHORT_ADMINS")
    print(f"{who} has no role any more; what was decided about others stays")


def _say(rows: Sequence[Mapping[str, object]], rules: RoleRules, problem: str | None, name: str) -> None:
    for row in rows:
        print(f"{row['role']:<8}  {row['id']}  {row['name']}".rstrip())
    if not rows:
        pair = f"cohort pair --bot {name}" if name else "cohort pair"
        print(f"no one has a role yet; `{pair}` makes a code that lets its first user in")
    for kind, lines in _kept(rules).items():
        print(f"{kind}: " + ", ".join(f"{name} ({role})" for name, role in lines.items()))
    if problem:
        print(f"the bot goes on with the rules of before: {problem}")


def _told(rules: RoleRules, problem: str | None) -> dict[str, object]:
    return {"everyone": rules.everyone, "roles": _kept(rules), "problem": problem}


def _kept(rules: RoleRules) -> dict[str, Mapping[str, Role]]:
    return {kind: getattr(rules, kind) for kind in ("commands", "agents", "models", "tools") if getattr(rules, kind)}


def _rules(settings: Settings) -> tuple[RoleRules, str | None]:
    """What the file says, or why it says nothing that can be used."""
    try:
        return chat_rules.read(settings.chats).roles, None
    except BadFile as problem:
        return RoleRules(), str(problem)


def _bot(bot: int, common: Settings, named: Sequence[ServedBot]) -> _Bot:
    own = next((one for one in named if one.id == bot), None)
    settings = own.settings(common) if own is not None else common
    return _Bot(bot, own.name if own is not None else "", settings, *_rules(settings))


async def _known(settings: Settings, named: Sequence[ServedBot], store: Store) -> dict[int, People]:
    """Every bot that is served, in the order of the file, and each one that runs or ran lately."""
    served = [bot.id for bot in named]
    if settings.bots is None and settings.telegram_bot_token is not None:
        served = [settings.bot_id]
    beating = sorted({status.bot for status in (await store.bots.look()).values() if status.bot})
    return {bot: await store.people.look(bot) for bot in dict.fromkeys([*served, *beating])}


def _listed(bot: _Bot, seen: People) -> list[tuple[str, str, int]]:
    """(role, name, id) of each person and group, the highest first."""
    word = seen.operator or operators_word(bot.settings)
    access = access_by(word, seen, bot.rules.everyone)
    order = (*ROLES, "denied")
    found = [
        (access.role(who, who) or "denied", entry.name if (entry := seen.entries.get(who)) is not None else "", who)
        for who in {*seen.entries, *word.allow, *word.admins}
    ]
    return sorted(found, key=lambda one: (order.index(one[0]), one[1].casefold(), one[2]))
