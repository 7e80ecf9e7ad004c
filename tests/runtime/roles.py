"""People with roles, as the store would tell them, and turns of a group that they have a part in."""

from dataclasses import replace

from tasks.chats.access import OperatorsWord, People, Person
from tasks.envelope import Inbound, Sender
from tasks.errors import StoreUnavailable
from tests.runtime.steps import MemorySteps
from tests.runtime.support import Screen, ask, inbound
from workers.interfaces import TurnResult
from workers.runtime.engine import Engine

OWNER, ADMIN, MEMBER, GUEST, STRANGER = 1, 2, 3, 4, 5
CALLS = 'CALL:count{"name": "x"}'
CARD = "---\nname: assistant\ndefault: true\nmodel: generic.mock\nfunction_tools:\n{tools}\n---\nUse tools.\n"
ROOM = -7


class Kept:
    """People as the store has them; it is ``away`` for so many looks."""

    def __init__(self) -> None:
        roles = {OWNER: "owner", ADMIN: "admin", MEMBER: "member", GUEST: "guest"}
        self.now = People({who: Person(role=role) for who, role in roles.items()}, OperatorsWord(), 1)  # pyright: ignore[reportArgumentType]
        self.asked = 0
        self.away = 0

    async def look(self, bot: int) -> People:
        assert bot == 42
        return self.now

    async def followed(self) -> dict[int, int]:
        return {}

    async def version(self, bot: int) -> int:
        self.asked += bot == 42
        if self.away:
            self.away -= 1
            raise StoreUnavailable("Redis cannot be reached")
        return self.now.version

    def change(self, who: int, role: str) -> None:
        person = Person(role=role)  # pyright: ignore[reportArgumentType]
        self.now = People({**self.now.entries, who: person}, self.now.operator, self.now.version + 1)


def said_by(person: int | None, text: str = CALLS, *, chat: int = ROOM, **more: object) -> Inbound:
    sender = Sender(id=person, name="P") if person is not None else None
    return inbound(chat, text, sender=sender, chat_type="supergroup" if chat < 0 else "private", **more)


async def runs(engine: Engine, *messages: Inbound, steps: MemorySteps | None = None, **more: object) -> TurnResult:
    asked = ask(messages[0].key.chat, *messages)
    return await engine.run(replace(asked, steps=steps or MemorySteps(), **more), Screen())
