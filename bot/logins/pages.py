"""The page that login pages send people back to: it asks by name before anything is linked.

The browser that comes back may be of a person who was talked into opening another one's link. Then the page says whose
link it is, and only a press of its button goes on.
"""

import html
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.logins import texts
from bot.logins.logins import CameBack, LoginService
from bot.receiving.webhook_connections import BODY_S, WebhookConnection
from tasks.config.forms import CALLBACK_PATH
from tasks.errors import StoreUnavailable
from tasks.phrases import language_of, phrase, speak, spoken

log = logging.getLogger("cohort.bot")

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
_PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Login</title><style>body{{font:1.1rem system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1rem}}</style><body>{body}</body></html>"""
_BODY_BYTES = 16 * 1024
_LANGUAGES = 256
"""Characters of a browser's languages that are looked at; the best comes first."""

type Body = Callable[[Request, int], Awaitable[bytes | None]]


class LoginPages:
    """Two requests: a browser comes back, and its person says yes."""

    def __init__(self, logins: LoginService, body: Body) -> None:
        """``body`` reads a request's, up to so many bytes."""
        self._logins = logins
        self._body = body
        self.routes = [Route(CALLBACK_PATH, self._serve, methods=["GET", "POST"])]

    async def _serve(self, request: Request) -> Response:
        connection: WebhookConnection = request.state.connection
        connection.set_deadline(BODY_S)
        # Each request is a task of its own. Its person is told in what their browser asks for.
        speak(language_of(*request.headers.get("accept-language", "")[:_LANGUAGES].split(",")))
        try:
            said = await self._body(request, _BODY_BYTES) if request.method == "POST" else request.url.query.encode()
            if said is None:
                return PlainTextResponse("too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            back = CameBack.of(said.decode(errors="replace"))
            return await (self._confirmed(back) if request.method == "POST" else self._asked(back))
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except ValueError:
            return _page(phrase("login-unknown"), status=HTTPStatus.BAD_REQUEST)
        except StoreUnavailable as problem:
            log.warning("store.unavailable", extra={"problem": str(problem)})
            return _page(phrase("login-away"), status=HTTPStatus.SERVICE_UNAVAILABLE)
        finally:
            connection.response_sent(whole=False)

    async def _asked(self, back: CameBack) -> Response:
        found = await self._logins.waiting(back)
        if isinstance(found, str):
            return _page(found, status=HTTPStatus.BAD_REQUEST)
        if not back.code:
            return _page(phrase("login-not-done"))
        return _page(
            texts.confirm(found.state.server, found.name, found.state.person), phrase("login-warning"), form=_form(back)
        )

    async def _confirmed(self, back: CameBack) -> Response:
        line = await self._logins.came_back(back)
        done = line.startswith(phrase("login-thanks"))
        return _page(
            line, *([phrase("login-close")] if done else []), status=HTTPStatus.OK if done else HTTPStatus.BAD_REQUEST
        )


def _form(back: CameBack) -> str:
    told = {"state": back.state, "code": back.code, "iss": back.issuer}
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in told.items() if value
    )
    return f'<form method="post">{fields}<button>{html.escape(phrase("login-link"))}</button></form>'


def _page(*lines: str, form: str = "", status: int = HTTPStatus.OK) -> Response:
    body = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines)
    return HTMLResponse(_PAGE.format(body=body + form, language=spoken()), status, _HEADERS)
