"""Topic titles: which topics are named, once and beside the turns, what becomes of hostile titles and of refusals."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from botapi.errors import Refused, TelegramAway
from tasks.config.settings import load
from tasks.errors import CohortError
from tasks.operator_files.chat_rules import ChatRule
from tasks.session import SessionKey
from tests.conftest import BOT
from tests.support.redis_of import redis_of
from tests.workers.pool import Pool, Worker
from workers.interfaces import TurnFailed
from workers.sessions.commands.titles import TopicTitles, title_from, wanted_by
from workers.sessions.spending import Spending
from workers.usage import Usage

PATIENCE_S = 60
TOPIC, OTHER = SessionKey(BOT, 5, 9), SessionKey(BOT, 5, 10)


async def _nothing(_session: SessionKey) -> None:
    """Nothing happens."""


class Naming:
    """Makes titles and gives them; tells of each."""

    def __init__(self) -> None:
        self.said = "A Fine Title"
        self.failure: CohortError | None = None
        self.refusal: CohortError | None = None
        self.asked: list[tuple[SessionKey, str, str]] = []
        self.named: asyncio.Queue[tuple[SessionKey, str]] = asyncio.Queue()
        self.alerts: asyncio.Queue[str] = asyncio.Queue()
        self.tries: asyncio.Queue[int | None] = asyncio.Queue()
        self.refusals: asyncio.Queue[CohortError] = asyncio.Queue()
        self.meanwhile: Callable[[SessionKey], Awaitable[None]] = _nothing
        """What happens while the model writes."""

    async def title(self, session: SessionKey, asked: str, answer: str) -> tuple[str, Usage]:
        self.asked.append((session, asked, answer))
        await self.meanwhile(session)
        await self.tries.put(session.topic)
        if self.failure is not None:
            raise self.failure
        return self.said, Usage(7, 3, "small")

    async def name_topic(self, session: SessionKey, name: str) -> None:
        if self.refusal is not None:
            await self.refusals.put(self.refusal)
            raise self.refusal
        await self.named.put((session, name))

    async def alert(self, cause: str, detail: str, bot: int) -> None:
        await self.alerts.put(f"{bot} {cause}: {detail}")


@pytest.fixture
def naming() -> Naming:
    return Naming()


@pytest.fixture
def titled(pool: Pool, naming: Naming) -> Callable[..., AsyncIterator[Worker]]:
    """A worker that names topics."""

    @asynccontextmanager
    async def running(*, wanted: bool = True) -> AsyncIterator[Worker]:
        def spending(session: SessionKey) -> Spending:
            return Spending(session, pool.store.sessions, pool.settings, pool.clock)

        named = pool.store.named_topics.has
        titles = TopicTitles(lambda _: wanted, naming, naming, spending, naming.alert, named=named, clock=pool.clock)
        worker = await pool.worker("one", titles=titles)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(titles.run(), name="titles")
            yield worker
            task.cancel()

    return running  # pyright: ignore[reportReturnType]


async def turn(pool: Pool, worker: Worker, where: SessionKey, text: str = "hi", **fields: object) -> None:
    await pool.say(where.chat, text, **{"session": str(where), "untitled": True, **fields})
    await worker.answer(where)


async def next_of[T](queue: asyncio.Queue[T]) -> T:
    async with asyncio.timeout(PATIENCE_S):
        return await queue.get()


@pytest.mark.promise("topic-titles")
async def test_a_new_topic_is_named_after_its_first_answer_and_once(pool: Pool, naming: Naming, titled) -> None:
    async with titled() as worker:
        await turn(pool, worker, TOPIC, "What is a lane?")
        assert await next_of(naming.named) == (TOPIC, "A Fine Title")
        await turn(pool, worker, TOPIC, "and now?")
        await turn(pool, worker, TOPIC, kind="new")
        await turn(pool, worker, TOPIC, "something else")
        await turn(pool, worker, OTHER)
        assert (await next_of(naming.named))[0] == OTHER, "nothing was named between"
    assert [(session, asked) for session, asked, _ in naming.asked] == [(TOPIC, "What is a lane?"), (OTHER, "hi")]
    assert "What is a lane?" in naming.asked[0][2]
    used = [
        await redis_of(pool.store).hgetall(key)
        async for key in redis_of(pool.store).scan_iter("cohort:usage:*model:small*")
    ]
    assert [row[b"input_tokens"] for row in used] == [b"14"]


@pytest.mark.promise("topic-titles")
async def test_a_named_topic_another_chat_and_a_failed_first_turn_are_left_alone(
    pool: Pool, naming: Naming, titled
) -> None:
    async with titled() as worker:
        await turn(pool, worker, SessionKey(BOT, 5, 1), untitled=False)
        await turn(pool, worker, SessionKey(BOT, 5))
        await turn(pool, worker, SessionKey(BOT, 5, 2, "biz"))
        pool.model.fail("bad", TurnFailed("tell", "no", "no"))
        await turn(pool, worker, SessionKey(BOT, 5, 3), "bad")
        await turn(pool, worker, OTHER)
        assert (await next_of(naming.named))[0] == OTHER
    assert [session for session, _, _ in naming.asked] == [OTHER]


@pytest.mark.promise("topic-titles")
@pytest.mark.parametrize("when", ["while the agent answers", "while the model writes a title"])
async def test_a_name_that_a_person_gives_in_the_first_turn_stays(
    pool: Pool, naming: Naming, titled, when: str
) -> None:
    async def named_by_a_person(session: SessionKey) -> None:
        if session == TOPIC:
            await pool.store.named_topics.note(TOPIC)

    async with titled() as worker:
        if when == "while the agent answers":
            await named_by_a_person(TOPIC)
        else:
            naming.meanwhile = named_by_a_person
        await turn(pool, worker, TOPIC)
        await turn(pool, worker, OTHER)
        assert (await next_of(naming.named))[0] == OTHER
    assert TOPIC not in [session for session, _, _ in naming.asked] or when == "while the model writes a title"


@pytest.mark.promise("topic-titles")
async def test_where_it_is_off_no_model_is_asked(pool: Pool, naming: Naming, titled) -> None:
    async with titled(wanted=False) as worker:
        await turn(pool, worker, TOPIC)
    assert naming.asked == []


@pytest.mark.promise("topic-titles")
async def test_a_missing_right_is_told_to_operators_and_costs_no_further_call(
    pool: Pool, naming: Naming, titled
) -> None:
    naming.refusal = Refused("not enough rights to manage topics")
    async with titled() as worker:
        await turn(pool, worker, TOPIC)
        told = await next_of(naming.alerts)
        assert "not enough rights to manage topics" in told
        assert "5" not in told, "logs name no chats"
        naming.refusal = None
        await turn(pool, worker, OTHER)
        await turn(pool, worker, SessionKey(BOT, 6, 1))
        assert (await next_of(naming.named))[0].chat == 6
        pool.clock.advance(3601)
        await turn(pool, worker, SessionKey(BOT, 5, 12))
        assert (await next_of(naming.named))[0].topic == 12, "the bot may have become an admin"
        assert not any("right" in reply.text for _, reply in pool.telegram.delivered)
    assert [session.chat for session, _, _ in naming.asked] == [5, 6, 5]


async def test_an_outage_or_a_defect_names_nothing_and_stops_nothing(pool: Pool, naming: Naming, titled) -> None:
    async with titled() as worker:
        naming.failure = TurnFailed("retry", "", "away")
        await turn(pool, worker, TOPIC)
        await turn(pool, worker, SessionKey(BOT, 5, 11))
        assert [await next_of(naming.tries), await next_of(naming.tries)] == [9, 11]
        naming.failure = None
        for topic, refusal in ((12, TelegramAway("no answer in time")), (13, Refused("TOPIC_NOT_MODIFIED"))):
            naming.refusal = refusal
            await turn(pool, worker, SessionKey(BOT, 5, topic))
            assert await next_of(naming.tries) == topic
            await next_of(naming.refusals)
        naming.refusal = None
        await turn(pool, worker, OTHER)
        assert await next_of(naming.named) == (OTHER, "A Fine Title")


@pytest.mark.promise("topic-titles")
@pytest.mark.parametrize(
    ("said", "title"),
    [
        ('"Lanes and slots."', "Lanes and slots"),
        ("Title: **Baking bread**\n\nHere is why", "Baking bread"),
        ("\n \n# One two three four five six seven", "One two three four five"),
        ("**bold** <b>x</b> of `y` and ~~z~~\n@everyone /new", "bold x of y and"),
        ("Ask @everyone at https://evil.example/x now", "Ask everyone at now"),
        ("a\x00b\x1b[31m\u202e\u2066c\td", "a�b [31m c d"),
        ("x" * 500, "x" * 127 + "…"),
        ("😀" * 200, None),
        ("Titel: 日本語のタイトル。", "Titel: 日本語のタイトル"),
        ("\ud83d lone", "� lone"),
        ("", ""),
        ("@ https://a.b \n...", ""),
        ("\n\n\t", ""),
    ],
)
def test_a_title_is_a_few_clean_words(said: str, title: str | None) -> None:
    found = title_from(said)
    assert len(found.encode("utf-16-le")) // 2 <= 128
    assert len(found.splitlines()) <= 1
    if title is not None:
        assert found == title


def test_the_operators_word_about_a_chat_stands_above_the_setting() -> None:
    rules = {5: ChatRule(titles=False), 6: ChatRule(titles=True), 7: ChatRule()}

    def names(**environ: str) -> list[bool]:
        wanted = wanted_by(load(environ), lambda session: rules[session.chat])
        return [wanted(SessionKey(BOT, chat)) for chat in rules]

    assert names() == [False, True, False]
    assert names(COHORT_TOPIC_TITLES="1") == [False, True, True]
    assert names(COHORT_TOPIC_TITLES="1", COHORT_MODEL="passthrough") == [False, False, False], "an echo is no title"
    given = {"COHORT_MODEL": "passthrough", "COHORT_TITLE_MODEL": "small"}
    assert names(COHORT_TOPIC_TITLES="1", **given) == [False, True, True]
