"""The control API: how tests, benchmarks and the page drive the playground (``/playground/...``, JSON)."""

from starlette.routing import Route

from playground.control.actions import Actions
from playground.control.business import Business
from playground.control.chats import Chats
from playground.control.machine import Machine
from playground.state.world import State


def routes(state: State) -> list[Route]:
    """All routes of the control API around one state."""
    return [*Chats(state).routes(), *Actions(state).routes(), *Business(state).routes(), *Machine(state).routes()]
