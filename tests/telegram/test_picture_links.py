"""Pictures by their addresses: which are sent, how, and what a refusal leaves."""

import pytest

from tasks.envelope import OutFile, Reply
from tasks.http.addresses import is_public
from tests.telegram.conftest import World
from workers.outgoing import MOST_LINKED, linked_pictures, replies_of
from workers.telegram.render import render

HOST = "https://pictures.example.com"


def urls(markdown: str) -> list[str]:
    return [file.url for file in linked_pictures(render(markdown))]


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/a.png",
        "https://localhost/a.png",
        "https://printer/a.png",
        "https://nas.local/a.png",
        "https://api.internal./a.png",
        "https://metadata.google.internal/a.png",
        "https://127.0.0.1/a.png",
        "https://8.8.8.8/a.png",
        "https://[::1]/a.png",
        "https://2130706433/a.png",
        "https://0x7f.0x1/a.png",
        "https://example.com:8443/a.png",
        "https://example.com:x/a.png",
        "https://me:secret@example.com/a.png",
        "https://@example.com/a.png",
        "https://exa mple.com/a.png",
        "https://example.com\\@127.0.0.1/a.png",
        "https://exämple.com/a.png",
        "https://example.com/" + "a" * 2048,
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        "https:///a.png",
        "",
    ],
)
def test_an_address_that_is_not_plain_https_of_a_public_name_is_not_fetched(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [f"{HOST}/a.png?b=c&d=%20#e", "https://example.com:443", "https://a.xn--p1ai/x"])
def test_an_address_of_a_public_name_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.promise("files-out")
def test_pictures_of_an_answer_are_those_outside_of_code_each_once_and_four_at_most() -> None:
    many = "\n".join(f"![n]({HOST}/{number}.png)" for number in (0, 0, 1, 2, 3, 4, 5))
    assert urls(many) == [f"{HOST}/{number}.png" for number in range(MOST_LINKED)]
    assert urls(f"[a link]({HOST}/a.png) {HOST}/b.png `![x]({HOST}/c.png)`\n```\n![x]({HOST}/d.png)\n```") == []
    assert urls("![x](https://127.0.0.1/x.png) ![y](http://example.com/y.png) ![z](data:image/png;base64,eA==)") == []
    assert urls(f"😀 **bold** ![𝔁 y]({HOST}/e.png)") == [f"{HOST}/e.png"]


@pytest.mark.promise("files-out")
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("words", ["failed to get HTTP URL content", "WEBPAGE_MEDIA_EMPTY", "a refusal of tomorrow"])
async def test_of_a_picture_that_telegram_cannot_fetch_the_link_in_the_answer_stays(
    world: World, count: int, words: str
) -> None:
    session = await world.session()
    for method in ("sendPhoto", "sendMediaGroup"):
        await world.pg.fault("error", method, code=400, description=f"Bad Request: {words}", times=9)
    said = render("\n".join(f"![A cat]({HOST}/{number}.png)" for number in range(count)))
    for reply in (*said, *replies_of(linked_pictures(said), ())):
        await world.delivery.deliver(session, Reply.from_json(reply.to_json()))
    (message,) = await world.pg.bot_messages(session.chat)
    assert [entity["url"] for entity in message["entities"]] == [f"{HOST}/{number}.png" for number in range(count)]
    album = ["sendMediaGroup"] * (count > 1)
    assert await world.methods(session) == ["sendMessage", *album, *["sendPhoto"] * count]


async def test_telegram_is_given_the_address_and_no_bytes(world: World) -> None:
    session = await world.session()
    pictures = [OutFile(kind="photo", name="picture", caption="A cat", url=f"{HOST}/cat.png")]
    await world.delivery.deliver(session, replies_of(pictures, ())[0])
    (entry,) = await world.pg.journal(chat=session.chat)
    assert entry["params"]["photo"] == f"{HOST}/cat.png"
    assert entry["params"]["caption"] == "A cat"


def test_pictures_by_address_and_pictures_by_bytes_are_albums_of_their_own() -> None:
    own = OutFile(kind="photo", name="a", data="eA==")
    far = OutFile(kind="photo", name="b", url=f"{HOST}/b.png")
    assert [len(reply.files) for reply in replies_of([far, far, own], ())] == [2, 1]
