"""How the running system stands, as text in at most 80 columns."""

import io
from collections.abc import Iterator

from rich.table import Table

from ops.commands.status.view import BotSeen, Look, rate
from ops.terminal import PlainConsole
from tasks.status.worker import older_cards
from tasks.store.processes.bots import ALIVE

_LATE_POLL_S = 60.0
"""Two long polls: a bot whose last poll ended before that fetches no updates."""
STUCK_S = 120.0
"""Most turns end within two minutes."""


def render(now: Look, before: Look | None = None, *, width: int = 80, colour: bool = False, slots: bool = False) -> str:
    """The look as text; ``slots``: with the depth of each slot that has work."""
    out = io.StringIO()
    console = PlainConsole(file=out, width=width, force_terminal=colour, no_color=not colour)
    for line in (*now.refusals, *now.disk):
        console.print(line, style="red")
    for line in now.risks:
        console.print(line, style="yellow")
    for line, good in bot_lines(now):
        console.print(line, style="" if good else "yellow")
    console.print()
    console.print(_workers(now))
    if not now.workers:
        none = "no worker takes further messages: they" if now.draining else "no worker runs: messages"
        console.print(f"{none} are kept until one starts", style="yellow")
    for line in _troubles(now):
        console.print(line, style="yellow")
    console.print()
    console.print(_figures(now, before))
    for line in _facts(now):
        console.print(line, style="yellow")
    if slots:
        console.print()
        for depth in now.depths:
            owner = depth.owner or "no worker"
            console.print(f"slot {depth.slot:02d}: {depth.sessions} with work, oldest {depth.oldest_s:.1f} s ({owner})")
        if not now.depths:
            console.print("no slot has work")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def bot_lines(now: Look) -> Iterator[tuple[str, bool]]:
    """One line for each process of the bot, and whether it is well."""
    for bot in now.bots:
        yield _bot(bot, resting=bot.bot in now.resting)
    for name in now.missing:
        yield f"bot {name}: no process of it takes updates", False
    if not any(bot.alive for bot in now.bots):
        yield "no bot runs: Telegram keeps updates for 24 hours", False
    elif not any(bot.alive and bot.leads for bot in now.bots):
        yield "no bot polls yet: the lease of the last one runs out within 15 s", False


def _bot(bot: BotSeen, *, resting: bool = False) -> tuple[str, bool]:
    name = f"bot @{bot.username or bot.bot} on {bot.host}, pid {bot.pid}"
    if not bot.alive:
        return f"{name}: silent for {duration(bot.silent_s)}", False
    if resting:
        return f"{name}: paused in COHORT_BOTS", True
    if not bot.leads and bot.mode == "polling":
        return f"{name}: stands by", True
    if bot.paused:
        return f"{name}: paused by `cohort pause`", True  # it fetches nothing, and that is as it should be
    what = "poll" if bot.mode == "polling" else "update"
    if bot.polled_s is None:
        return f"{name}: {bot.mode}, no {what} yet", bot.mode == "webhook"
    late = bot.mode == "polling" and bot.polled_s > _LATE_POLL_S
    return f"{name}: {bot.mode}, last {what} {duration(bot.polled_s)} ago", not late


def _workers(now: Look) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("worker", "host", "pid", "running", "queued", "lanes", "slots"):
        table.add_column(title, justify="left" if title in {"worker", "host"} else "right", overflow="fold")
    for worker in now.workers:
        figures = (worker.pid, worker.running, worker.queued, worker.lanes, worker.slots)
        table.add_row(worker.incarnation, worker.host, *(str(figure) for figure in figures))
    return table


def _troubles(now: Look) -> Iterator[str]:
    for worker in now.workers:
        if worker.servers_down:
            yield f"{worker.incarnation}: MCP servers not reachable: {', '.join(worker.servers_down)}"
        if worker.agents_away:
            yield f"{worker.incarnation}: remote agents that do not answer: {', '.join(worker.agents_away)}"
        if worker.cards_kept:
            yield f"{worker.incarnation}: goes on with the agents of before: {worker.cards_kept}"
    for worker in now.draining:
        turns = "1 turn has" if worker.at_work == 1 else f"{worker.at_work} turns have"
        yield f"{worker.incarnation}: drains, and ends{f' when {turns} ended' if worker.at_work else ''}"
    for incarnation in now.gone:
        yield f"{incarnation}: its heartbeat stopped"


def _figures(now: Look, before: Look | None) -> Table:
    """What is at work, and what waits."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    turns = rate(now, before)
    load = "no lanes" if now.load is None else f"load {now.load:.2f}"
    running = f"{now.running} of {now.lanes} lanes ({load})"
    grid.add_row("running", running + (f", {turns:.1f} turns/s" if turns is not None else ""))
    if now.scale is not None and now.scale.auto:
        bounds = f"{now.scale.wanted} wanted, between {now.scale.least} and {now.scale.most} by load"
        grid.add_row("workers", f"{bounds} (last change: {now.scale.why})")
    waits = f", the oldest for {duration(now.oldest_s)}" if now.waiting else ""
    grid.add_row("waiting", f"{now.waiting} chat{'' if now.waiting == 1 else 's'}{waits}")
    if now.delivering:
        grid.add_row("delivering", f"{now.delivering} chat{'' if now.delivering == 1 else 's'}")
    for host in now.own_hosts if now.own_wanted or any(host.starts for host in now.own_hosts) else ():
        figures = f"{host.alive} of {host.most} on {host.host}, {host.busy} at work"
        grid.add_row("own processes", f"{figures} ({host.starts} started, {host.evictions} ended to make room)")
    if now.own_wanted:
        grid.add_row("", f"{now.own_wanted} chat{'' if now.own_wanted == 1 else 's'} waiting for one")
    if now.parked:
        grid.add_row("questions open", f"in {now.parked} chat{'' if now.parked == 1 else 's'}")
    if now.closed_chats:
        closed = ", ".join(f"{count} {why}" for why, count in now.closed_chats.items())
        grid.add_row("chats closed", f"{closed} (`cohort chats`)")
    grid.add_row("dead letters", str(now.dead))
    grid.add_row("model", "; ".join(_models(now)) or ("ok" if now.workers else "unknown"))
    grid.add_row("Telegram", f"last minute: {now.telegram.sent} sent, {now.telegram.refused} refused (429)")
    return grid


def _models(now: Look) -> Iterator[str]:
    for model in now.models:
        where = f"on {model.workers} of {len(now.workers)} workers"
        breaker = ", breaker open" if model.open else ""
        reason = f" ({model.reason})" if model.reason else ""
        yield f"{model.name} fails {where} for {duration(model.since_s)}{breaker}{reason}"


def _facts(now: Look) -> Iterator[str]:
    yield from now.paused
    if now.unowned:
        yield f"slots without a worker {now.unowned}"
    if now.telegram.held_s > 0:
        yield f"Telegram holds the bot for {duration(now.telegram.held_s)} more"
    if (late := unanswered(now)) is not None:
        yield f"{late}: see `cohort stuck`"
    if now.dead:
        yield "see `cohort dead list`"


def unanswered(now: Look) -> str | None:
    """That a message has waited for longer than most turns take; None: none has."""
    oldest = max((depth.oldest_s for depth in now.depths), default=0.0)
    return f"a chat has had no answer for {duration(oldest)}" if oldest > STUCK_S else None


def duration(seconds: float) -> str:
    """``4.2 s``, ``3 min``, ``5.0 h``."""
    if seconds < 100:  # noqa: PLR2004 - then minutes say more
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3 * 3600 else f"{seconds / 3600:.1f} h"


def health_problems(now: Look, part: str, host: str) -> list[str]:
    """What is wrong with the bot or the workers (of one host, if it is named), or with all; empty: all is well."""
    problems: list[str] = [*now.refusals, *now.disk] if part == "all" else []
    if part in ("all", "bot"):
        mine = [bot for bot in now.bots if bot.host == host or not host]
        if not any(bot.alive for bot in mine):
            problems.append(f"no bot has said within {ALIVE.total_seconds():.0f} s that it lives")
        problems += [
            line for bot in mine if bot.alive for line, good in [_bot(bot, resting=bot.bot in now.resting)] if not good
        ]
        if part == "all":
            problems += [f"bot {name}: no process of it takes updates" for name in now.missing]
    if part in ("all", "worker"):
        workers = [worker for worker in now.workers if worker.host == host or not host]
        if not workers:
            drains = now.draining and part == "all"
            problems.append("the only worker drains: start another one" if drains else "no worker lives")
        if part == "all" and workers and now.unowned:
            problems.append(f"slots without a worker {now.unowned}")
        problems += older_cards(worker.cards_kept for worker in workers)
    return problems
