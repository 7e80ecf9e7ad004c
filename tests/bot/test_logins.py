"""People come back from a login page, by their browser or by an address that they paste; /login and /logout."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.logins import texts as login_texts
from bot.logins.pages import LoginPages
from bot.process.stop import Stop
from bot.receiving.webhook import PagesEndpoint, read_body, serve
from tasks import keys
from tasks.chats.asking import OpenQuestion, ParkedTurn
from tasks.chats.logins import Login, LoginState, PendingLogin, place_of
from tasks.clock import SystemClock
from tasks.config.forms import CALLBACK_PATH
from tasks.config.settings import Settings, load
from tasks.envelope import Inbound, Reply, Sender
from tasks.phrases import phrase
from tests.bot.conftest import TOKEN, BotUnderTest
from tests.bot.stand_ins import SOON
from tests.bot.updates import ANN, BEN, BOT, GROUP, message, pressed, said
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of
from tests.support.wire import HttpServer, Request

ANNS = f"{BOT.id}:{ANN.id}"
LINK = "https://login.example/authorize?state=x"
QUESTION = OpenQuestion(
    id="q1",
    key="k/0",
    kind="ask",
    about="log in",
    text="Log in.",
    choices=("Logged in", "Cancel"),
    login="l1",
    link=LINK,
)
TURN = ParkedTurn(turn="t", taken=1, ends=2e9, who=(ANN.id,), questions=(QUESTION,))


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_SECRET_KEY": "k" * 32})


def login(bot: BotUnderTest, *, session: str = ANNS, lasts: float = 600.0) -> Login:
    ends = bot.clock.now() + lasts
    pending = PendingLogin(
        id="l1", session=session, url=LINK, verifier="v", redirect="https://bot.example/oauth/callback", ends=ends
    )
    return Login(of=place_of(BOT.id, ANN.id, "calendar"), pending=pending)


async def begun(bot: BotUnderTest, session: str = ANNS, *, lasts: float = 600.0, turn: ParkedTurn | None = TURN) -> str:
    """A turn of Ann's waits for a login; the ``state`` of its link."""
    await bot.store.logins.change(BOT.id, ANN.id, "calendar", lambda _: login(bot, session=session, lasts=lasts))
    if turn is not None:
        await redis_of(bot.store).hset(keys.state(session), "parked", turn.to_json())
    asked = Inbound(session=session, update_id=1, at=0.0, sender=Sender(id=ANN.id, name="Ann <b>"))
    await redis_of(bot.store).rpush(keys.inbox(session), asked.to_json())
    return LoginState(bot=BOT.id, person=ANN.id, server="calendar", id="l1").sealed(bot.store.logins.box)


async def answers(bot: BotUnderTest, session: str = ANNS) -> list[Inbound]:
    return [entry for entry in await bot.inbox(session) if entry.kind == "answer"]


async def lines(bot: BotUnderTest) -> list[Reply]:
    return [reply for _, reply in await own_replies(bot.store, BOT.id, 100)]


@pytest.fixture
async def browser(bot: BotUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the bot's address."""
    stop = Stop()
    assert bot.logins is not None
    endpoint = PagesEndpoint(LoginPages(bot.logins, read_body).routes)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
            group.create_task(serve(endpoint, sock, stop, SystemClock()))
            async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False, timeout=60) as client:
                yield client
            stop.set()


@pytest.mark.promise("logins-own")
@pytest.mark.promise("login-goes-on")
async def test_a_browser_that_comes_back_is_asked_by_name_and_the_turn_goes_on_once(
    bot: BotUnderTest, browser: httpx.AsyncClient
) -> None:
    back = {"state": await begun(bot), "code": "c0de", "iss": "https://login.example"}
    asked = await browser.get(CALLBACK_PATH, params=back)
    assert asked.status_code == 200
    assert "let Ann &lt;b&gt; (Telegram ID 700) use your account at calendar" in asked.text
    assert "frame-ancestors 'none'" in asked.headers["content-security-policy"]
    assert await answers(bot) == [], "opening the page links nothing"
    for _ in range(2):
        done = await browser.post(CALLBACK_PATH, data=back)
        assert (done.status_code, phrase("login-close") in done.text) == (200, True)
    (answer,) = await answers(bot)
    assert (answer.choice, answer.person, answer.v) == ({"ask": "q1", "say": "0"}, ANN.id, 3)
    assert "c0de" not in answer.to_json()
    assert len(await bot.doorbells()) == 1
    kept = await bot.store.logins.read(BOT.id, ANN.id, "calendar")
    assert kept is not None
    assert kept.pending is not None
    assert (kept.pending.code, kept.pending.issuer) == ("c0de", "https://login.example")
    other = await browser.post(CALLBACK_PATH, data={**back, "code": "another"})
    assert (other.status_code, phrase("login-used") in other.text) == (400, True)
    assert len(await answers(bot)) == 1


@pytest.mark.promise("logins-own")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("foreign", phrase("login-unknown")),
        ("no state", phrase("login-unknown")),
        ("other bot", phrase("login-unknown")),
        ("late", phrase("login-late")),
        ("newer link", phrase("login-used")),
        ("over", phrase("login-over")),
        ("refused", phrase("login-not-done")),
    ],
)
async def test_what_comes_back_wrong_is_told_on_one_page_and_changes_nothing(
    bot: BotUnderTest, browser: httpx.AsyncClient, case: str, line: str, method: str
) -> None:
    state = await begun(bot, lasts=-1 if case == "late" else 600, turn=None if case == "over" else TURN)
    box = bot.store.logins.box
    back = {"state": state, "code": "c0de"}
    match case:
        case "foreign":
            back["state"] = "x" * 100
        case "no state":
            del back["state"]
        case "other bot":
            back["state"] = LoginState(bot=1, person=ANN.id, server="calendar", id="l1").sealed(box)
        case "newer link":
            back["state"] = LoginState(bot=BOT.id, person=ANN.id, server="calendar", id="l0").sealed(box)
        case "refused":
            back = {"state": state, "error": "access_denied"}
        case _:
            pass
    told = {"params": back} if method == "GET" else {"data": back}
    page = await browser.request(method, CALLBACK_PATH, **told)  # pyright: ignore[reportArgumentType]
    assert line in page.text
    assert "<form" not in page.text
    assert await answers(bot) == []


async def test_a_body_that_is_too_large_is_refused(bot: BotUnderTest, browser: httpx.AsyncClient) -> None:
    assert (await browser.post(CALLBACK_PATH, content=b"a=" + b"b" * 20_000)).status_code == 413
    assert (await browser.put(CALLBACK_PATH)).status_code == 405


@pytest.mark.promise("login-goes-on")
async def test_an_address_that_is_pasted_does_the_same_and_reaches_no_agent(bot: BotUnderTest) -> None:
    state = await begun(bot)
    text = f"http://127.0.0.1:8443/oauth/callback?code=c0de&state={state}"
    await bot.intake.take([said(text, update_id=10)])
    await bot.intake.take([said(text, update_id=11)])
    assert [reply.text for reply in await lines(bot)] == [login_texts.linked("calendar")] * 2
    assert len(await answers(bot)) == 1
    assert not [entry for entry in await bot.inbox(ANNS) if "c0de" in entry.text]


@pytest.mark.promise("logins-own")
async def test_an_address_that_another_person_pastes_is_not_theirs(bot: BotUnderTest) -> None:
    state = await begun(bot)
    await bot.intake.take([said(f"http://127.0.0.1/?code=c0de&state={state}", sender=BEN, update_id=10)])
    assert [reply.text for reply in await lines(bot)] == [phrase("login-not-yours")]
    assert await answers(bot) == []
    await bot.intake.take([said("https://x.example/?code=1&state=2", update_id=12)])
    assert [entry.text for entry in await bot.inbox(ANNS)][1:] == ["https://x.example/?code=1&state=2"]


@pytest.mark.promise("logins-own")
async def test_no_button_says_that_a_person_has_come_back(bot: BotUnderTest) -> None:
    await begun(bot)
    on = message("Log in.", sender=BOT)
    await bot.intake.take([pressed("ask:q1:0", on, update_id=10), pressed("ask:q1:1", on, update_id=11)])
    await bot.followed()
    assert [line for _, line in bot.signs.pressed] == [phrase("question-ended"), phrase("answer-taken")]
    assert [answer.choice["say"] for answer in await answers(bot)] == ["1"]


@pytest.mark.promise("logins-own")
async def test_login_shows_the_page_in_a_private_chat_only(bot: BotUnderTest) -> None:
    await begun(bot, f"{BOT.id}:{GROUP.id}")
    await bot.intake.take([said("/login", update_id=10), said("/login", sender=BEN, update_id=11)])
    await bot.intake.take([said("/login", chat=GROUP, update_id=12)])
    shown, none, group = await lines(bot)
    assert [[button.url for button in row] for row in shown.buttons] == [[LINK]]
    assert (none.text, none.buttons) == (phrase("login-none-waits"), ())
    assert (group.text, group.buttons) == (phrase("login-private"), ())


class Authority(HttpServer):
    """Where logins are revoked."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[bytes] = []
        self.status = 200

    async def handle(self, request: Request) -> None:
        self.said.append(request.body)
        await request.respond({}, self.status)


@pytest.mark.promise("logout")
@pytest.mark.parametrize("status", [200, 500])
async def test_logout_deletes_the_login_and_tells_the_server(bot: BotUnderTest, status: int) -> None:
    assert bot.logins is not None
    async with Authority() as authority:
        authority.status = status
        kept = login(bot).model_copy(
            update={
                "tokens": {"access_token": "a", "token_type": "Bearer", "refresh_token": "r3fresh"},
                "client": {"client_id": "us", "client_secret": "s"},
                "authority": {"revocation_endpoint": f"{authority.url}/revoke"},
            }
        )
        await bot.store.logins.change(BOT.id, ANN.id, "calendar", lambda _: kept)
        await bot.intake.take([said("/logout", update_id=10), pressed("logout:calendar", message("x"), update_id=11)])
        await bot.intake.take([said("/logout calendar", update_id=12), said("/logout", update_id=13)])
        listed, gone, *others = await lines(bot)
        assert (listed.text, listed.buttons[0][0].data) == (login_texts.linked_at(["calendar"]), "logout:calendar")
        assert gone.text == login_texts.logged_out("calendar", tells=True)
        assert [reply.text for reply in others] == [login_texts.not_linked_at("calendar"), phrase("login-not-linked")]
        assert not await redis_of(bot.store).exists(keys.logins(BOT.id, ANN.id))
        async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
            running = group.create_task(bot.revocations.run())
            while len(await lines(bot)) < 4 + (status == 500) or not authority.said:
                pass
            running.cancel()
        assert authority.said == [b"token=r3fresh&token_type_hint=refresh_token&client_id=us&client_secret=s"]
        assert [reply.text for reply in (await lines(bot))[4:]] == (
            [login_texts.not_told("calendar")] if status == 500 else []
        )
