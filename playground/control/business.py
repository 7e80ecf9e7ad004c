"""Control API: business accounts, their connections with the bot, and their customers."""

from starlette.requests import Request
from starlette.routing import Route

from playground import Json
from playground.control.chats import described
from playground.control.web import body, number, route
from playground.errors import ControlError
from playground.state.business import AccountConnection
from playground.state.owners import change, connect, customer_of
from playground.state.world import State


class Business:
    """Handlers around one state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        return [
            route("GET", "/playground/business", self.all),
            route("POST", "/playground/business", self.connect),
            route("POST", "/playground/business/{connection}", self.change),
            route("POST", "/playground/business/{connection}/chats", self.customer),
        ]

    def _connection(self, request: Request) -> AccountConnection:
        return self._state.business.find(request.path_params["connection"])

    def _person(self, given: Json) -> Json:
        user = None if given.get("user") is None else number(given["user"], "user")
        return self._state.book.add_user(given.get("first_name"), number=user)

    async def all(self, _request: Request) -> list[Json]:
        return [connection.wire() for connection in self._state.business.all.values()]

    async def connect(self, request: Request) -> Json:
        """``user`` (id) or ``first_name``; ``rights``: those that differ from ``GIVEN``, each true or false."""
        given = await body(request)
        connection, update = connect(self._state, self._person(given), given.get("rights"))
        return connection.wire() | {"update_id": update}

    async def change(self, request: Request) -> Json:
        """Change a connection.

        - ``enabled``: true or false.
        - ``rights``: those that change.
        """
        given, connection = await body(request), self._connection(request)
        enabled = given.get("enabled")
        if enabled not in (None, True, False):
            raise ControlError("enabled is true or false")
        update = change(self._state, connection, enabled=enabled, rights=given.get("rights"))
        return connection.wire() | {"update_id": update}

    async def customer(self, request: Request) -> Json:
        """``user`` (id) or ``first_name``: the chat of the account with them."""
        given, connection = await body(request), self._connection(request)
        return described(self._state, customer_of(self._state, connection, self._person(given)))
