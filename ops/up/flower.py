"""``python -P -m ops.up.flower``: Flower with a guard in front of all its routes, and with our own Celery app.

Flower asks for no password and answers each request that reaches its port. A page of another site reaches the port
through the browser of this machine's user (``tasks.http.loopback``). Since Flower 2 its API, which can end workers, is
closed without a password; its pages are open. ``celery -A`` is not used, because it imports from the current directory.
"""

import hmac
import logging
import math
import sys
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click
from celery.bin.base import CLIContext
from celery.bin.celery import celery as umbrella
from flower import command
from flower.api import BaseApiHandler
from flower.app import Flower
from flower.views import BaseHandler
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.ioloop import PeriodicCallback
from tornado.web import RequestHandler

from ops.up.flower_actions import refuse_the_meaningless
from ops.up.plan import chosen_port
from tasks import turn
from tasks.app import make_app
from tasks.clock import SystemClock
from tasks.config.redis_url import tls_of
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.http.addresses import without_link
from tasks.http.guesses import PasswordGuesses
from tasks.http.loopback import foreign
from tasks.ports import ELSEWHERE, TurnReport
from tasks.process import title
from tasks.session import SessionKey
from tasks.slots import queue_of

log = logging.getLogger("cohort.console")

_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 401, 403, 429
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOOK_EVERY_MS = 2000


class _NoWorker:
    """Where a worker is expected: Flower shows tasks and runs none."""

    async def visit(self, session: SessionKey) -> TurnReport:
        """Leave it to the workers."""
        del session
        return ELSEWHERE


class ForbiddenHandler(RequestHandler):
    """Answers every method with 403 (or 429) and the reason."""

    def initialize(self, problem: str, wait_s: float = 0) -> None:
        """Tornado calls this with the arguments from ``find_handler``."""
        self.problem = problem
        self.wait_s = wait_s

    def check_xsrf_cookie(self) -> None:
        """The request is refused in any case."""

    def prepare(self) -> None:
        """Answer before the handler of any method runs."""
        self.set_status(_TOO_MANY if self.wait_s else _FORBIDDEN)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if self.wait_s:
            self.set_header("Retry-After", str(math.ceil(self.wait_s)))
        self.finish(f"{self.problem}\n")


def guarded(settings: Settings) -> type[Any]:
    """Flower's application with a check of each request before the route is chosen.

    Without authentication it only shows, and listens on this machine alone.
    """
    base: Any = Flower

    class Guarded(base):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.passwords = _Passwords()
            options = self.options
            if options.basic_auth or options.auth:
                return
            if options.address not in _LOOPBACK and not options.unix_socket:
                raise Misconfigured(
                    f"FLOWER_ADDRESS={options.address or '(all addresses)'}: set FLOWER_BASIC_AUTH=user:password"
                    " (or FLOWER_AUTH with OAuth); without it Flower listens on 127.0.0.1 alone"
                )
            # Buttons that the API refuses would only show errors.
            options.read_only = True

        def start(self) -> None:
            """Flower asks workers once, when it starts; those that come later are asked when they are heard of."""
            self.looking = PeriodicCallback(self.ask_late_workers, _LOOK_EVERY_MS)
            self.looking.start()
            super().start()

        def ask_late_workers(self) -> None:
            """Ask the workers that send events and have not been asked."""
            heard = dict(self.events.state.workers)
            if any(worker.alive and name not in self.workers for name, worker in heard.items()):
                self.update_workers()

        def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate:
            told = _foreign(request, self.options.port, settings) or self.passwords.refusal(request, self.options)
            if told is not None:
                return self.get_handler_delegate(request, ForbiddenHandler, told)
            return super().find_handler(request, **kwargs)

    return Guarded


def _foreign(request: HTTPServerRequest, port: int, settings: Settings) -> dict[str, Any] | None:
    seen = without_link(request.headers.get_all(), request.method or "", request.path)
    problem = foreign(seen, port, settings.flower_hosts)
    return None if problem is None else {"problem": f"{problem}, or set COHORT_FLOWER_HOSTS"}


class _Passwords:
    """Counts wrong ones before Flower looks at them."""

    def __init__(self) -> None:
        self._guesses = PasswordGuesses()
        self._clock = SystemClock()

    def refusal(self, request: HTTPServerRequest, options: Any) -> dict[str, Any] | None:
        """What is told to an address that has to wait until its next password is looked at."""
        given, address, now = request.headers.get("Authorization"), str(request.remote_ip), self._clock.monotonic()
        if not given or not options.basic_auth:
            return None
        if wait_s := self._guesses.wait_s(address, now):
            return {"problem": f"too many wrong passwords from here: wait {math.ceil(wait_s)} s", "wait_s": wait_s}
        if not _is_right(given, options.basic_auth):
            log.warning("console.guessed", extra={"address": address, "wrong": self._guesses.wrong(address, now)})
        return None


def _is_right(authorization: str, logins: Sequence[str]) -> bool:
    """As Flower compares it."""
    scheme, _, given = authorization.strip().partition(" ")
    try:
        said = b64decode(given)
    except ValueError:
        return False
    return scheme == "Basic" and any(hmac.compare_digest(login.encode(), said) for login in logins)


def _with_challenge(write_error: Callable[..., None]) -> Callable[..., None]:
    """Flower's pages ask for the password and its API does not.

    A browser keeps a password for the paths below the one that asked. After a start at a worker's page, each button
    would show 401.
    """

    def write(handler: Any, status_code: int, **named: Any) -> None:
        if status_code == _UNAUTHORIZED and handler.application.options.basic_auth:
            handler.set_header("WWW-Authenticate", 'Basic realm="flower"')
        write_error(handler, status_code, **named)

    return write


def _claimed(arguments: list[str]) -> None:
    """Refuse a port that is taken in one line, and not with the traceback of its server."""
    for port in (one.removeprefix("--port=") for one in arguments if one.startswith("--port=")):
        chosen_port("flower_port", int(port))


def main(arguments: list[str]) -> None:
    """Run Flower with Flower's own arguments.

    Raises:
        Misconfigured: a setting is wrong.
    """
    title.show("flower")
    settings = load()
    _ = settings.redis
    _claimed(arguments)
    names: Any = command
    names.Flower = guarded(settings)
    shown = [queue_of(slot) for slot in range(settings.slots)]
    handler: Any = BaseHandler
    # Flower lists the queues that a worker consumes; one without a worker is the one to see.
    handler.get_active_queue_names = staticmethod(partial(list[str], shown))
    api: Any = BaseApiHandler
    api.write_error = _with_challenge(api.write_error)
    refuse_the_meaningless()
    celery = make_app(settings)
    if (tls := tls_of(settings.redis)) is not None:
        # Celery reads the URL's ssl_* by itself; Flower's page of queues has a client of its own, which does not.
        celery.conf.broker_use_ssl = tls
    # Otherwise Flower calls it unknown, in place of what workers answer to a limit for it.
    turn.bind(celery, _NoWorker())
    context = click.Context(umbrella, obj=CLIContext(celery, no_color=True, workdir=None, quiet=True))
    names.flower.main(arguments, "flower", parent=context)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Misconfigured as refused:
        for said in str(refused).splitlines():
            print(f"cohort flower: {said}", file=sys.stderr)
        sys.exit(2)
