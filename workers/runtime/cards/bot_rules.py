"""The rules of chats (``chats.yaml``): those of the deployment, and those of bots that have a file of their own."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tasks.chats.roles import RoleRules
from tasks.errors import StoreUnavailable
from tasks.operator_files.agent_files import BadFile
from tasks.operator_files.chat_rules import ChatRule, ChatRulesFile
from tasks.operator_files.watched import LOOK_EVERY_S
from tasks.session import SessionKey
from workers.many_bots import BotsOfTurns
from workers.runtime.cards.unknown_agents import UnknownAgents
from workers.tool_stores import StoredPeople

log = logging.getLogger("cohort.chats")


class BotRules:
    """The rules that hold for a session, by its bot. A bot whose own file was never readable is not served."""

    def __init__(
        self, common: ChatRulesFile, bots: BotsOfTurns | None = None, people: StoredPeople | None = None
    ) -> None:
        self._common = common
        self._people = people
        self._bots = bots
        self._own: dict[Path, ChatRulesFile | str] = {}
        """A file that cannot be used: why not."""
        self._unknown = UnknownAgents()

    def _path(self, session: SessionKey) -> Path | None:
        entry = self._bots.entries().get(session.bot) if self._bots is not None else None
        return None if entry is None else entry.chats

    def _file(self, session: SessionKey) -> ChatRulesFile | None:
        path = None if self._bots is None else self._path(session)
        if path is None:
            return self._common
        found = self._own[path] if path in self._own else self._read(path)
        return found if isinstance(found, ChatRulesFile) else None

    def _read(self, path: Path) -> ChatRulesFile | str:
        try:
            found = ChatRulesFile(path, self._common.home)
            found.moved = self._common.moved
        except BadFile as problem:
            if self._own.get(path) != str(problem):
                log.error("chats.refused", extra={"problem": str(problem)})  # noqa: TRY400 - it says where and what
            found = str(problem)
        self._own[path] = found
        return found

    def usable(self, session: SessionKey) -> bool:
        """Whether the rules of the session's bot are known: without them a role might do what it must not."""
        return self._file(session) is not None

    def of(self, session: SessionKey) -> ChatRule:
        """What holds in a session."""
        found = self._file(session)
        return ChatRule() if found is None else found.of(session)

    def roles_of(self, session: SessionKey) -> Callable[[], RoleRules]:
        """What each role may use, asked when it matters."""

        def roles() -> RoleRules:
            found = self._file(session)
            return (self._common if found is None else found).roles()

        return roles

    @property
    def _files(self) -> list[ChatRulesFile]:
        return [found for found in (self._common, *self._own.values()) if isinstance(found, ChatRulesFile)]

    async def _follow(self) -> None:
        """Rules hold for the supergroups that their groups became."""
        files = self._files
        if self._people is None or not any(found.name_groups for found in files):
            return
        moved = await self._people.followed()
        for found in files:
            found.moved = moved

    async def watch(self, agents: Callable[[], frozenset[str]]) -> None:
        """Keep all of them current until cancelled, and let those go that no bot has any more.

        Args:
            agents: Those that chats may have now; the log names those that rules name and that are not among them.
        """
        while True:
            self._unknown.look([found.now for found in self._files], agents())
            with suppress(StoreUnavailable):
                await self._follow()
            await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.to_thread(self._common.look)
            entries = self._bots.entries() if self._bots is not None else {}
            wanted = {entry.chats for entry in entries.values()}
            for path, found in tuple(self._own.items()):
                if path not in wanted:
                    del self._own[path]
                elif isinstance(found, ChatRulesFile):
                    await asyncio.to_thread(found.look)
                else:
                    await asyncio.to_thread(self._read, path)
