"""The bots of ``COHORT_BOTS`` in a worker: a client, send permits, settings and agents for each."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from botapi.client import Connection
from botapi.pacing import Pacing
from tasks.bots import BotsReader, ServedBot, tell_changed, tell_refused
from tasks.bounded_dict import BoundedDict
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.operator_files.bots_file import BotEntry
from tasks.operator_files.watched import Watched
from tasks.session import SessionKey
from tasks.status.worker import Sends
from tasks.store.pacing import PaceStore
from workers.sessions.dependencies import CHATS_REMEMBERED, Dependencies
from workers.speech import Speaker
from workers.telegram.delivery import TelegramDelivery
from workers.telegram.media import TelegramMedia


@dataclass(slots=True)
class _Served:
    """A bot with what was made for it when its first turn came."""

    bot: ServedBot
    settings: Settings
    pacing: Pacing
    delivery: TelegramDelivery
    media: TelegramMedia
    dependencies: Dependencies | None = None


def watched_bots(settings: Settings) -> Watched[tuple[ServedBot, ...]]:
    """The bots of ``COHORT_BOTS``, as they are now.

    Raises:
        Misconfigured: the file is wrong, or a token is missing here.
    """
    files = [path for path in (settings.bots, settings.bots_env) if path is not None]
    read = BotsReader(settings)
    watched = Watched(read, files, refused=tell_refused, changed=tell_changed)
    if read.stands_in:
        tell_refused(read.stands_in)
    return watched


class ServedBots:
    """One for each worker. All bots share the worker's connections to Telegram.

    A bot that was taken out of the file stays known here until this worker ends, so that what was accepted is answered.
    """

    def __init__(  # noqa: PLR0913 - what all bots share
        self,
        settings: Settings,
        watched: Watched[tuple[ServedBot, ...]],
        telegram: Connection,
        pace: PaceStore,
        clock: Clock,
        *,
        speaker: Speaker | None = None,
    ) -> None:
        self._speaker = speaker
        self._settings = settings
        self._watched = watched
        self._telegram = telegram
        self._pace = pace
        self._clock = clock
        self._bots: dict[int, ServedBot] = {}
        self._entries: dict[int, BotEntry] = {}
        self._served: dict[int, _Served] = {}
        self._take()

    def _take(self) -> None:
        for bot in self._watched.now:
            self._bots[bot.id] = bot
            self._entries[bot.id] = bot.entry
            if bot.id in self._served:
                self._of(bot.id)

    async def watch(self, changed: Callable[[], Awaitable[object]] | None = None) -> None:
        """Follow the file until cancelled; ``changed`` is called after each change."""
        while True:
            if await self._watched.next_look():
                self._take()
                if changed is not None:
                    await changed()

    def serves(self, session: SessionKey) -> bool:
        """Whether this worker has the token of the session's bot. Without it the session's messages are kept."""
        return session.bot in self._bots

    def _of(self, ident: int) -> _Served:
        bot, served = self._bots[ident], self._served.get(ident)
        if served is None or served.bot != bot:
            served = self._served[ident] = self._made(bot, served)
        return served

    def _made(self, bot: ServedBot, before: _Served | None) -> _Served:
        """What a bot needs. A turn that runs ends with what it began with, but for a token that has changed."""
        settings = bot.settings(self._settings)
        pacing = Pacing(self._pace.at(settings.send_rate), bot.id, self._clock)
        client = replace(self._telegram, token=bot.token).bot(pacing)
        shared = next((other.media for other in self._served.values()), None)
        media = shared.of(client) if shared is not None else TelegramMedia(client, settings, self._clock)
        if before is not None:
            delivery = before.delivery.renewed(client, settings)
        else:
            delivery = TelegramDelivery(client, settings, self._clock, speaker=self._speaker)
        return _Served(bot, settings, pacing, delivery, media)

    @property
    def delivery(self) -> TelegramDelivery:
        """That of the first bot, for what asks for one and delivers nothing: turn loops have their bot's."""
        return self._of(self._watched.now[0].id).delivery

    def settings(self, bot: int) -> Settings:
        """Those of the deployment, with the bot's over them."""
        return self._of(bot).settings

    def settings_here(self, session: SessionKey) -> Settings | None:
        """The settings of the session's bot; None where this worker does not serve it."""
        return self.settings(session.bot) if self.serves(session) else None

    async def name_topic(self, session: SessionKey, name: str) -> None:
        """Give the session's topic a name, as its bot (``workers.sessions.commands.titles.TopicNames``)."""
        await self._of(session.bot).delivery.name_topic(session, name)

    def media(self, session: SessionKey) -> TelegramMedia:
        """The files of the session's bot."""
        return self._of(session.bot).media

    def entries(self) -> Mapping[int, BotEntry]:
        """All bots that are known here, as the file describes them. It is asked several times a turn, so it is kept."""
        return self._entries

    def entry(self, session: SessionKey) -> BotEntry:
        """The session's bot as the file describes it."""
        return self._entries[session.bot]

    def dependencies(self, common: Dependencies, session: SessionKey) -> Dependencies:
        """What the turn loop of a session is given: the worker's, with what belongs to the session's bot."""
        served = self._of(session.bot)
        if served.dependencies is None:
            served.dependencies = replace(
                common,
                settings=served.settings,
                delivery=served.delivery,
                offered=served.bot.entry.agents,
                bot=session.bot,
                refusing=BoundedDict[int, None](CHATS_REMEMBERED),
                of_bot=None,
            )
        return served.dependencies

    def all_settings(self) -> Mapping[int, Settings]:
        """What counts for each bot of the file, in its order."""
        return {bot.id: bot.settings(self._settings) for bot in self._watched.now}

    def named(self, bot: int) -> str:
        """What ``COHORT_BOTS`` calls a bot."""
        found = self._bots.get(bot)
        return found.name if found is not None else str(bot)

    def sends(self) -> Sends:
        """What this worker sent lately, by all bots."""
        told = [served.pacing.lately() for served in self._served.values()]
        return Sends(sent=sum(one.sent for one in told), refused=sum(one.refused for one in told))
