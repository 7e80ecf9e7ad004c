"""/login, /logout, and the address at which a login ended, sent as a message."""

from bot.commands.saying import say
from bot.logins import texts
from bot.logins.logins import LoginService, logout_buttons
from bot.updates.commands import PASTED, Command
from tasks.envelope import Inbound, Reply
from tasks.phrases import phrase


class LoginCommands:
    """Answers what people ask about their own logins, in private chats."""

    def __init__(self, logins: LoginService | None) -> None:
        """``logins``: None where none are kept."""
        self._logins = logins

    def hidden_ask(self, inbound: Inbound) -> Command | None:
        """A message that is the address at which a login of ours ended; no agent reads it."""
        logins = self._logins
        return PASTED if logins is not None and logins.in_message(inbound) is not None else None

    async def answer(self, ask: Command, inbound: Inbound) -> Reply:
        """The answer to one of ``bot.updates.commands.LOGINS``.

        Raises:
            StoreUnavailable: Redis is away.
        """
        logins, person = self._logins, inbound.person
        if logins is None:
            return say(inbound, phrase("login-nowhere"))
        back = logins.in_message(inbound) if ask == PASTED else None
        if back is not None:
            return say(inbound, await logins.came_back(back, by=person))
        if (
            inbound.chat_type != "private"
            or inbound.key.business is not None
            or inbound.key.inline is not None
            or person is None
        ):
            return say(inbound, phrase("login-private"))
        if ask.name == "login":
            buttons = await logins.begun(person)
            return say(inbound, phrase("login-waits") if buttons else phrase("login-none-waits"), buttons)
        if ask.argument:
            return say(inbound, await logins.log_out(person, ask.argument, inbound.session))
        servers = await logins.linked(person)
        return say(
            inbound, texts.linked_at(servers) if servers else phrase("login-not-linked"), logout_buttons(servers)
        )
