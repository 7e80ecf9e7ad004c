"""Delivers updates to the webhook: several at once, in order within a chat, each repeated until it is taken."""

import asyncio
from collections import deque

import httpx

from playground.state.updates import Update
from playground.state.world import State, WebhookTarget

_MAX_RETRY_AFTER = 3600
"""Seconds of a Retry-After header that are honoured at most (telegram-bot-api source)."""
_MAX_BACKOFF = 60
_ANSWER_SECONDS = 30.0


class Courier:
    """Runs while the server runs. A delivered update is confirmed; a refused one stays in the queue."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lanes: dict[object, deque[Update]] = {}
        self._ready: asyncio.Queue[object] = asyncio.Queue()

    async def run(self) -> None:
        """Serve one webhook after the other, until cancelled."""
        bot = self._state.bot
        while True:
            webhook = bot.webhook
            if not webhook.url:
                await bot.webhook_changed.wait(_MAX_RETRY_AFTER)
                continue
            self._lanes, self._ready = {}, asyncio.Queue()
            for update in bot.queue.peek(len(bot.queue)):
                self._take(update)
            bot.queue.on_add = self._take
            try:
                await self._serve(webhook)
            finally:
                bot.queue.on_add = None

    def _take(self, update: Update) -> None:
        key = update.id if update.lane is None else update.lane
        lane = self._lanes.setdefault(key, deque())
        lane.append(update)
        if len(lane) == 1:
            self._ready.put_nowait(key)

    async def _serve(self, webhook: WebhookTarget) -> None:
        """Deliver until the webhook changes."""
        limits = httpx.Limits(max_connections=webhook.max_connections, max_keepalive_connections=None)
        async with (
            httpx.AsyncClient(timeout=_ANSWER_SECONDS, trust_env=False, limits=limits, verify=False) as http,  # noqa: S501 - this machine's own
            asyncio.TaskGroup() as tasks,
        ):
            runners = [
                tasks.create_task(self._runner(webhook, http), name=f"webhook-{n}")
                for n in range(webhook.max_connections)
            ]
            while self._state.bot.webhook is webhook:
                await self._state.bot.webhook_changed.wait(_MAX_RETRY_AFTER)
            for runner in runners:
                runner.cancel()

    async def _runner(self, webhook: WebhookTarget, http: httpx.AsyncClient) -> None:
        while True:
            key = await self._ready.get()
            lane = self._lanes[key]
            await self._deliver(webhook, http, lane[0])
            lane.popleft()
            if lane:
                self._ready.put_nowait(key)
            else:
                del self._lanes[key]

    async def _deliver(self, webhook: WebhookTarget, http: httpx.AsyncClient, update: Update) -> None:
        """Send an update until it is taken. The first repeat comes at once, later ones back off."""
        headers = {"content-type": "application/json"}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        failures = 0
        while True:
            pause = 0.0
            try:
                answer = await http.post(webhook.url, content=update.raw, headers=headers)
            except httpx.HTTPError as problem:
                webhook.last_error = type(problem).__name__
            else:
                if answer.is_success:
                    self._state.bot.queue.confirm(update.id)
                    self._state.bot.looked.wake_all()
                    return
                webhook.last_error = f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
                wanted = answer.headers.get("retry-after", "")
                pause = float(min(int(wanted), _MAX_RETRY_AFTER)) if wanted.isdigit() else 0.0
            webhook.last_error_at = self._state.now()
            if not pause and failures:
                pause = float(min(2**failures, _MAX_BACKOFF))
            failures += 1
            await asyncio.sleep(pause)
