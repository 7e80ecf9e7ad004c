"""The console's routes: its page, what the page asks for, and the metrics of all processes."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from ops.web import sections
from ops.web.answers import JsonAnswer
from ops.web.feedback import feedback
from ops.web.guard import ConsoleGuard
from ops.web.patience import PatientReader
from ops.web.scrape import CONTENT_TYPE, scrape
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.errors import CohortError, StoreUnavailable, Terminal
from tasks.session import SessionKey
from tasks.store import Store
from tasks.store.records.dead import is_letter
from tasks.telemetry.rollups import DAY, HOUR
from tasks.text import is_unsigned

_STATIC = Path(__file__).parent / "static"
_FILES = {path.name for path in _STATIC.iterdir()}
_LONGEST = 200
"""Characters of a word that is looked for."""

type RequestWork = Callable[[Store, Request], Awaitable[Any]]


class NotThere(CohortError):  # noqa: N818 - reads as what it is
    """There is no such thing."""


def create_app(settings: Settings, reader: PatientReader, clock: Clock, links: dict[str, str]) -> ConsoleGuard:
    """The console as an ASGI application; ``links``: other pages, label -> address."""
    pages = ConsolePages(settings, clock)
    text = settings.console_text
    about = {"changes": settings.console_auth is not None, "text": text, "links": links}

    async def told(_request: Request) -> Response:
        return JsonAnswer(about)

    def reads(path: str, work: RequestWork) -> Route:
        return Route(path, _answer(reader, work), methods=["GET"])

    routes = [
        Route("/", _index, methods=["GET"]),
        Route("/static/{name}", _static, methods=["GET"]),
        Route("/healthz", _healthy, methods=["GET"]),
        Route("/api/about", told, methods=["GET"]),
        reads("/api/overview", pages.overview),
        reads("/api/series/{span}", pages.series),
        reads("/api/sessions", pages.sessions),
        reads("/api/sessions/{name}", pages.session),
        reads("/api/dead", pages.dead),
        reads("/api/questions", pages.questions),
        reads("/api/people", pages.people),
        reads("/api/feedback", pages.feedback),
        reads("/metrics", pages.metrics),
        Route("/api/dead/{letter}/{verb}", _answer(reader, pages.change), methods=["POST"]),
    ]
    return ConsoleGuard(Starlette(routes=routes), settings, clock)


class ConsolePages:
    """What is read, and the two things that are changed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._slots = settings.slots
        self._text = settings.console_text
        self._named = settings.console_auth is not None
        self._clock = clock

    async def overview(self, store: Store, _request: Request) -> Any:
        return await sections.overview(store, self._clock, slots=self._slots)

    async def series(self, store: Store, request: Request) -> Any:
        spans = {span.name: span for span in (HOUR, DAY)}
        span = spans.get(request.path_params["span"])
        if span is None:
            raise NotThere
        return await sections.series(store, self._clock, span)

    async def sessions(self, store: Store, request: Request) -> Any:
        query = request.query_params
        cursor = query.get("cursor", "")
        if query.get("by") == "work":
            return await sections.oldest_work(store, self._clock, slots=self._slots, bot=_bot(request))
        place = int(cursor) if is_unsigned(cursor) else None
        return await sections.sessions(store, query.get("q", "").strip()[:_LONGEST], place, bot=_bot(request))

    async def session(self, store: Store, request: Request) -> Any:
        try:
            key = SessionKey.parse(request.path_params["name"])
        except ValueError:
            raise NotThere from None
        found = await sections.session(store, key, text=self._text)
        if found is None:
            raise NotThere(f"nothing is kept of {key}")
        return found

    async def dead(self, store: Store, request: Request) -> Any:
        return await sections.dead(store, bot=_bot(request))

    async def questions(self, store: Store, request: Request) -> Any:
        return await sections.questions(store, text=self._text, bot=_bot(request))

    async def people(self, store: Store, request: Request) -> Any:
        return await sections.people(store, named=self._named, bot=_bot(request))

    async def feedback(self, store: Store, request: Request) -> Any:
        return await feedback(store, self._clock, bot=_bot(request))

    async def metrics(self, store: Store, _request: Request) -> Any:
        return Response(await scrape(store, self._clock, slots=self._slots), headers={"content-type": CONTENT_TYPE})

    async def change(self, store: Store, request: Request) -> Any:
        letter, verb = request.path_params["letter"], request.path_params["verb"]
        if not is_letter(letter) or verb not in ("retry", "drop"):
            raise NotThere
        if not await (store.dead.retry(letter) if verb == "retry" else store.dead.drop(letter)):
            raise NotThere("there is no such dead letter any more")
        return {"done": verb}


def _bot(request: Request) -> int | None:
    """Of several bots, the one whose things are asked for; None: all."""
    said = request.query_params.get("bot", "")
    return int(said) if is_unsigned(said) else None


def _answer(reader: PatientReader, work: RequestWork) -> Callable[[Request], Awaitable[Response]]:
    """What it gives as JSON, and what stands in its way as one sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            given = await reader.read(lambda store: work(store, request))
        except NotThere as problem:
            return JsonAnswer({"error": str(problem)}, 404)
        except Terminal as problem:
            return JsonAnswer({"error": str(problem)}, 409)
        except StoreUnavailable as problem:
            return JsonAnswer({"error": str(problem)}, 503, {"retry-after": "5"})
        except CohortError as problem:
            return JsonAnswer({"error": str(problem)}, 500)
        return given if isinstance(given, Response) else JsonAnswer(given)

    return endpoint


async def _index(_request: Request) -> Response:
    return FileResponse(_STATIC / "index.html")


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    return FileResponse(_STATIC / name) if name in _FILES else PlainTextResponse("no such file\n", 404)


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
