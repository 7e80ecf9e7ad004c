"""The ``cohort`` command. Each mistake of an operator is one line on stderr, and the exit status says who must act.

0: done. 1: it could not be done, or was found to be wrong (`doctor`, `health`, `dead retry --all`, Redis away, a full
disk). 2: a setting or an argument is wrong, or there is no such thing. 130: Ctrl-C.
"""

import json
import os
import sys
from dataclasses import asdict, replace
from importlib import metadata
from io import TextIOWrapper
from typing import Annotated

import typer

from ops.commands import (
    bots,
    cards,
    chats,
    config,
    dead,
    feedback,
    find,
    pair,
    pause,
    people,
    pool,
    restart,
    sessions,
    stuck,
)
from ops.commands.backup import command as backup
from ops.commands.broadcast import command as broadcast
from ops.commands.finding import Finding
from ops.commands.status import command as status
from ops.context import Context, context, run
from ops.environment import ProcessKind, environment, needed
from ops.home import FULL, Home, full_disk
from ops.terminal import shown
from ops.up.console import stdout_console
from ops.up.forking import Template
from ops.up.plan import HOST, chosen_port, console_command, flower_command, module
from tasks.clock import SystemClock
from tasks.config.settings import load
from tasks.errors import CohortError, Misconfigured

app = typer.Typer(
    help="LLM agents in front of Telegram: one bot, thousands of chats, a handful of processes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if asked:
        print(f"cohort {metadata.version('cohort')}, fast-agent {metadata.version('fast-agent-mcp')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the versions and exit.")
    ] = False,
) -> None:
    del version


def _become(kind: ProcessKind, command: tuple[str, ...], here: Context | None = None) -> None:
    """Become that process: signals reach it directly, and its exit status is ours."""
    here = here or context()
    here.home.tighten()
    environ = needed(kind, here.environ)
    sys.stdout.flush()
    os.execve(sys.executable, command, environ)  # noqa: S606 - no shell is the point


@app.command()
def up(
    given: typer.Context,
    workers: Annotated[
        str | None, typer.Option(help="A number, auto, or auto:1..4, in place of COHORT_WORKERS.")
    ] = None,
) -> None:
    """Start everything on this machine, in the foreground."""
    from ops.up.run import Up  # noqa: PLC0415 - the other commands start quicker without it

    environ = environment() | ({"COHORT_WORKERS": workers} if workers is not None else {})
    settings = load(environ)
    home = Home(settings.home)
    with home.hold():
        console = stdout_console(home.logs)
        up_here = Up(settings, environ, console=console, home=home, clock=SystemClock(), template=given.obj)
        with console.writing():
            status = run(up_here.run())
    raise typer.Exit(status)


@app.command()
def bot(name: Annotated[str | None, typer.Argument(help="Which one of COHORT_BOTS.")] = None) -> None:
    """Run the bot alone (needs TELEGRAM_BOT_TOKEN and REDIS_URL, or a running `cohort up`)."""
    here = context()
    if here.settings.bots is not None or name is not None:
        here = replace(here, environ={**here.environ, **here.bot_named(name, starts=True).variables})
    _become("bot", module("bot"), here)


@app.command()
def worker(
    given: typer.Context,
    *,
    own: Annotated[
        bool, typer.Option("--own", help="No worker: run chats' own processes here, COHORT_OWN_MAX at most.")
    ] = False,
) -> None:
    """Run one worker alone (needs TELEGRAM_BOT_TOKEN and REDIS_URL, or a running `cohort up`)."""
    if own:
        _host_own(given.obj)
    else:
        _become("worker", module("workers"))


def _host_own(template: Template | None) -> None:
    from ops.up.own_host import host  # noqa: PLC0415 - the other commands start quicker without it

    here = context()
    here.home.tighten()
    console = stdout_console(here.home.logs)
    with console.writing():
        run(host(here.settings, here.environ, console=console, clock=SystemClock(), template=template))


@app.command()
def playground() -> None:
    """Run the playground alone: a Bot API server with a chat page, on 127.0.0.1."""
    _become("playground", module("playground"))


@app.command()
def flower() -> None:
    """Run Flower alone, on 127.0.0.1 at FLOWER_PORT."""
    here = context()
    settings = here.settings
    _ = settings.redis  # A missing URL is reported here; Celery would look for another broker.
    port = chosen_port("flower_port", settings.flower_port)
    # FLOWER_ADDRESS is Flower's own variable; in a container Flower listens on all addresses.
    _become("flower", flower_command(port, here.environ.get("FLOWER_ADDRESS", HOST)))


@app.command()
def console(
    host: Annotated[str | None, typer.Option(help="Address to listen on, in place of COHORT_CONSOLE_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="In place of COHORT_CONSOLE_PORT.")] = None,
) -> None:
    """Run the console alone: a page for operators, and the metrics of all processes at /metrics."""
    asked = {"COHORT_CONSOLE_HOST": host, "COHORT_CONSOLE_PORT": str(port) if port else None}
    here = context({name: value for name, value in asked.items() if value})
    _ = here.settings.redis
    if not here.settings.console_port:
        raise Misconfigured("COHORT_CONSOLE_PORT: is 0; give a port (--port)")
    _become("console", console_command(), here)


@app.command()
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, after the last check.")] = False
) -> None:
    """Check token, Redis, model, cards, MCP servers, disk and clock, and advise. Exits with 1 on a problem."""
    from ops.commands.doctor.command import examine  # noqa: PLC0415 - the other commands start quicker without it

    found: list[Finding] = []

    def say(finding: Finding) -> None:
        found.append(finding)
        if not as_json:
            print(finding.line(), flush=True)

    healthy = run(examine(context(), SystemClock(), say))
    if as_json:
        print(json.dumps({"healthy": healthy, "findings": [asdict(one) for one in found]}))
    if not healthy:
        raise typer.Exit(1)


status.register(app)
stuck.register(app)
find.register(app)
feedback.register(app)
chats.register(app)
people.register(app)
pool.register(app)
restart.register(app)
app.add_typer(dead.app, name="dead")
app.add_typer(cards.app, name="cards")
config.register(app)
backup.register(app)
sessions.register(app)
pause.register(app)
broadcast.register(app)
pair.register(app)
app.add_typer(bots.app, name="bots")


def main(template: Template | None = None) -> None:
    """Run the command; ``template`` has begun to load what workers need."""
    # This command and its children write conversations, files and passwords: only their owner may read them.
    os.umask(0o077)
    if isinstance(sys.stdout, TextIOWrapper):
        # Names and texts may have what the terminal's encoding has not, or a path that is no UTF-8.
        sys.stdout.reconfigure(errors="backslashreplace")
    with shown():
        _run(template)


def _run(template: Template | None) -> None:
    try:
        app(standalone_mode=True, obj=template)
    except CohortError as problem:
        for line in str(problem).splitlines():
            print(f"cohort: {line}", file=sys.stderr)
        sys.exit(2 if isinstance(problem, Misconfigured) else 1)
    except OSError as problem:
        if problem.errno not in FULL:
            raise
        print(f"cohort: {full_disk(problem)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
