"""Whether Telegram shows the bot what people of a group say to each other."""

from bot.groups.admin_lists import AdminLists
from bot.updates.meaning import BotIdentity


class GroupHearing:
    """Knows it by the bot's privacy mode, and by the groups that it administers, where it is shown all."""

    def __init__(self, me: BotIdentity, admins: AdminLists) -> None:
        self._me = me
        self._admins = admins

    def changed(self, me: BotIdentity) -> None:
        """BotFather has switched the privacy mode."""
        self._me = me

    async def all_of(self, chat: int) -> bool | None:
        """Whether it is shown all messages of a group; None where Telegram does not tell."""
        return self._me.reads_groups or await self._admins.tells_of(self._me.id, chat)
