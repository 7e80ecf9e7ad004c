"""One person's login at one server, as the runtime reads and changes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tasks.chats.logins import Login, LoginState, PendingLogin, place_of
from tasks.clock import Clock
from workers.tool_stores import Logins


@dataclass(frozen=True, slots=True)
class Vault:
    """Of one person at one server."""

    logins: Logins
    clock: Clock
    bot: int
    person: int
    server: str

    async def read(self) -> Login | None:
        """What is kept now.

        Raises:
            StoreUnavailable: Redis is away.
        """
        return await self.logins.read(self.bot, self.person, self.server)

    async def change(self, change: Callable[[Login], Login]) -> Login:
        """Change it; what others write meanwhile is read again. ``change`` may be called several times.

        Raises:
            StoreUnavailable: it was perhaps changed.
        """
        empty = Login(of=place_of(self.bot, self.person, self.server))
        after = await self.logins.change(self.bot, self.person, self.server, lambda now: change(now or empty))
        return after or empty

    async def unlink(self, refresh_token: str | None) -> None:
        """The server takes these tokens no more. Tokens that another worker has stored since stay."""

        def change(login: Login) -> Login:
            if (login.tokens or {}).get("refresh_token") != refresh_token:
                return login
            return login.model_copy(update={"tokens": None, "expires_at": None, "refreshed_by": ""})

        await self.change(change)

    def state(self, ident: str) -> str:
        """What the login page gives back: sealed, so that only we can read for whom the link was made."""
        state = LoginState(bot=self.bot, person=self.person, server=self.server, id=ident)
        return state.sealed(self.logins.box)

    async def begin(self, pending: PendingLogin) -> None:
        """A login begins: the link of an earlier one is void from now on."""
        await self.change(lambda login: login.model_copy(update={"pending": pending}))

    async def over(self, ident: str) -> None:
        """The login that had begun is over."""

        def change(login: Login) -> Login:
            ours = login.pending is not None and login.pending.id == ident
            return login.model_copy(update={"pending": None}) if ours else login

        await self.change(change)


def dumped(model: BaseModel | None) -> dict[str, Any] | None:
    """As it is kept."""
    return model.model_dump(mode="json", exclude_none=True) if model is not None else None


def read_as[M: BaseModel](kind: type[M], kept: dict[str, Any] | None) -> M | None:
    """What was kept; None where this release of the SDK cannot read it."""
    try:
        return kind.model_validate(kept) if kept else None
    except ValidationError:
        return None
