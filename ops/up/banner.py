"""What ``cohort up`` prints when everything runs: the addresses, the model and why it answers, and the next steps."""

import io
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from ops.model import ChosenModel
from ops.terminal import PlainConsole
from ops.up.plan import Plan
from tasks.config.worker_count import WorkerCount

WIDTH = 80
_READ = {True: "read as you save them", False: "changed ones: cohort cards reload"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the banner tells."""

    plan: Plan
    choice: ChosenModel
    store: str
    """The store in words."""
    home: Path
    took: float
    """Seconds from the command to ready."""
    warnings: tuple[str, ...] = ()
    pairing: tuple[str, ...] = ()
    """How the bot's owner gets in."""


def shown(path: Path) -> str:
    """A path, relative to the current directory where possible."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _workers(count: WorkerCount) -> str:
    return f"{count.least} to {count.most}, by load," if count.auto else str(count)


def _rows(facts: Facts) -> list[tuple[str, str]]:
    plan, choice = facts.plan, facts.choice
    settings = plan.settings
    rows: list[tuple[str, str]] = []
    if plan.page_url:
        rows.append(("Chat", f"{plan.page_url}   (the playground)"))
    else:
        named = ", ".join(f"{bot.name} ({bot.id})" for bot in plan.bots) or f"bot {settings.bot_id}"
        rows.append(("Telegram", f"{named} at {settings.telegram_base_url}"))
    if plan.console_url:
        rows.append(("Console", f"{plan.console_url}   (how it stands, sessions, dead letters)"))
    if plan.flower_url:
        rows.append(("Flower", f"{plan.flower_url}   (workers and tasks)"))
    rows += [
        ("Model", f"{choice.title} ({choice.why})"),
        ("Agents", f"the cards in {shown(settings.cards)}   ({_READ[plan.reloads]})"),
        ("Workers", f"{_workers(settings.workers)} with {settings.lanes} lanes each, {settings.slots} slots"),
        ("Store", facts.store),
        ("Logs", shown(facts.home / "logs")),
    ]
    return rows


def _advice(facts: Facts) -> list[tuple[str, str]]:
    advice: list[tuple[str, str]] = []
    if facts.plan.playground_url:
        advice.append(("Telegram", "TELEGRAM_BOT_TOKEN=...  from @BotFather"))
        advice.append(("", "the next `cohort up` then prints the link that makes you its owner"))
    if facts.choice.hint:
        advice.append(("Model", facts.choice.hint))
    return advice


def render(facts: Facts, *, colour: bool, width: int = WIDTH) -> str:
    """The banner in at most ``width`` columns."""
    out = io.StringIO()
    console = PlainConsole(file=out, force_terminal=colour, no_color=not colour, width=width)

    def table(rows: list[tuple[str, str]]) -> None:
        grid = Table.grid(padding=(0, 2), pad_edge=True)
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in rows:
            grid.add_row(name, Text(value))
        console.print(grid)

    console.print()
    console.print(Text(f"Cohort is up ({facts.took:.1f} s). Ctrl-C ends it.", style="bold green"))
    console.print()
    table(_rows(facts))
    if facts.pairing:
        console.print()
        console.print(Text("The bot has no owner yet. Open this to become its owner:", style="bold"))
        for line in facts.pairing:
            # A link that is folded opens nothing.
            console.print(Text(f"    {line}"), soft_wrap=True)
    for line in facts.warnings:
        console.print()
        console.print(Text(f"Warning: {line}", style="yellow"))
    advice = _advice(facts)
    if advice:
        console.print()
        console.print(Text("For the real thing (environment or .env):", style="bold"))
        table(advice)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
