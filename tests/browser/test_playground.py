"""The playground's page as people use it."""

from pathlib import Path

import pytest

from playground.client import PlaygroundClient
from tests.browser.chromium import DESK, PHONE, Browser, Watched
from tests.browser.product import Up
from tests.harness.processes import Process
from tests.support.ports import free_port

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)

BOT = "@cohort_playground_bot"


async def begun(browser: Browser, up: Up, kind: str = "private", **more: object) -> Watched:
    """A page with a new chat open."""
    watched = await browser.page(up.playground, **more)
    make = watched.page.locator(f'[data-make="{kind}"]:visible').last
    await make.click()
    await watched.page.locator("#chat:visible").wait_for()
    return watched


async def say(watched: Watched, words: str) -> None:
    await watched.page.get_by_role("combobox", name="Message").fill(words)
    await watched.page.keyboard.press("Enter")


async def answered(watched: Watched, words: str) -> None:
    await watched.page.locator(".msg.bot").filter(has_text=words).last.wait_for()


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")])
async def test_a_person_writes_picks_edits_and_sends_files_and_the_page_is_usable_by_all(
    up: Up, browser: Browser, size: dict[str, int], scheme: str
) -> None:
    watched = await begun(browser, up, size=size, color_scheme=scheme)
    page = watched.page
    found = await watched.unusable()
    await say(watched, "hello")
    await answered(watched, "echo: hello")
    await page.set_input_files("#file", {"name": "dot.png", "mimeType": "image/png", "buffer": PIXEL})
    await say(watched, "a picture")
    await page.locator(".own img.photo").wait_for()
    await page.set_input_files("#file", {"name": "v.ogg", "mimeType": "audio/ogg", "buffer": b"OggS" + bytes(60)})
    await page.get_by_role("button", name="Send").click()
    await page.locator(".own audio").wait_for()
    await say(watched, "/queue")
    await page.locator(".keys button").first.wait_for()
    await page.locator(".own").first.hover()
    await page.locator(".own").first.get_by_role("button", name="Edit").click()
    await page.get_by_role("combobox", name="Message").fill("hello again")
    await page.keyboard.press("Enter")
    await page.locator(".own .meta").filter(has_text="edited").wait_for()
    await browser.picture(watched, f"playground-{size['width']}-{scheme}")
    found += await watched.unusable()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page is wider than its window"
    )
    watched.clean()
    assert found == []


async def test_two_people_write_in_a_group_and_each_is_answered(up: Up, browser: Browser) -> None:
    watched = await begun(browser, up, "group")
    page = watched.page
    await say(watched, f"{BOT} the first")
    await answered(watched, "the first")
    await page.get_by_role("button", name="What can be done here").click()
    await page.get_by_role("menuitem", name="Add a person").click()
    await page.get_by_role("textbox", name="Who comes in?").fill("Zoë")
    await page.keyboard.press("Enter")
    await page.locator("#as select").wait_for()
    await say(watched, f"{BOT} the second")
    await answered(watched, "the second")
    watched.clean()


@pytest.mark.promise("inline-messages")
@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
async def test_a_question_behind_the_bots_name_is_offered_and_what_is_chosen_is_sent(
    up: Up, browser: Browser, size: dict[str, int], scheme: str
) -> None:
    watched = await begun(browser, up, "group", size=size, color_scheme=scheme)
    page = watched.page
    text = page.get_by_role("combobox", name="Message")
    await text.press_sequentially("@coh")
    await page.get_by_role("option", name=BOT).wait_for()
    await text.press("Tab")
    await text.press_sequentially("how warm is it")
    offer = page.get_by_role("option", name="how warm is it")
    await offer.wait_for()
    found = await watched.unusable()
    await browser.picture(watched, f"inline-{size['width']}-{scheme}")
    await text.press("ArrowDown")
    await text.press("Enter")
    await page.locator(".msg.own", has_text="echo: how warm is it").wait_for()
    await page.get_by_text(f"via {BOT}").wait_for()
    assert await text.input_value() == ""
    # Without a choice, Enter sends what was written: it names the bot, a member.
    await text.fill(f"{BOT} and tomorrow")
    await text.press("Enter")
    await answered(watched, "and tomorrow")
    watched.clean()
    assert found + await watched.unusable() == []


@pytest.mark.promise("inline-messages")
async def test_a_bot_without_inline_feedback_answers_when_the_button_below_is_pressed(up: Up, browser: Browser) -> None:
    watched = await begun(browser, up, "private")
    page = watched.page
    await page.get_by_role("button", name="Break something").click()
    await page.get_by_role("menuitem", name="Inline feedback off").click()
    text = page.get_by_role("combobox", name="Message")
    await text.fill(f"{BOT} how warm is it")
    await page.get_by_role("option", name="how warm is it").click()
    await page.locator(".msg.own .keys button").click()
    await page.locator(".msg.own", has_text="echo: how warm is it").wait_for()
    await page.get_by_role("button", name="Break something").click()
    await page.get_by_role("menuitem", name="Inline feedback on").click()
    watched.clean()


@pytest.mark.promise("inline-messages")
async def test_the_bot_is_called_as_a_guest_where_it_is_no_member(up: Up, browser: Browser) -> None:
    watched = await begun(browser, up, "group")
    page = watched.page
    await page.get_by_role("button", name="What can be done here").click()
    await page.get_by_role("menuitem", name="Remove the bot").click()
    await page.locator("#subtitle", has_text="the bot is no member").wait_for()
    await say(watched, "nothing for the bot")
    await say(watched, f"{BOT} good evening")
    await answered(watched, "echo: good evening")
    await page.get_by_role("button", name="What can be done here").click()
    await page.get_by_role("menuitem", name="Bring the bot back").click()
    await page.locator("#subtitle", has_text="and the bot").wait_for()
    await say(watched, f"{BOT} here again")
    await answered(watched, "here again")
    watched.clean()


async def test_a_menu_is_walked_with_keys_and_gives_the_focus_back(up: Up, browser: Browser) -> None:
    watched = await begun(browser, up, "topics")
    page = watched.page
    for opener in ("What can be done here", "Break something"):
        button = page.get_by_role("button", name=opener)
        await button.press("Enter")
        items = page.get_by_role("menuitem")
        await items.nth(1).wait_for()
        await page.keyboard.press("End")
        assert await items.last.evaluate("(item) => item === document.activeElement")
        await page.keyboard.press("ArrowDown")
        assert await items.first.evaluate("(item) => item === document.activeElement")
        await page.keyboard.press("Escape")
        await items.first.wait_for(state="hidden")
        assert await button.evaluate("(button) => button === document.activeElement")
    watched.clean()
    assert await watched.unusable() == []


async def test_an_album_is_one_grid_and_a_chat_with_pictures_opens_at_its_end(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    chat = (await people.chat())["id"]
    pictures = [await people.file(PIXEL, f"{n}.png", kind="photo", mime="image/png") for n in range(4)]
    film = await people.file(b"film", "film.mp4", kind="video", mime="video/mp4")
    for _ in range(3):
        await people.album(chat, *({"photo": one} for one in pictures), {"video": film})
    watched = await browser.page(up.playground, PHONE)
    await watched.page.locator("#chats button", has_text="film.mp4").first.wait_for()
    await watched.page.goto(f"{watched.page.url.partition('#')[0]}#{chat}")
    await watched.page.reload()
    await watched.page.locator(".album").nth(2).wait_for()
    assert [await album.locator(".msg").count() for album in await watched.page.locator(".album").all()] == [5, 5, 5]
    await watched.page.wait_for_function("document.querySelector('#down').hidden")
    watched.clean()


async def test_a_page_whose_playground_ends_and_is_started_again_says_so_and_goes_on(
    browser: Browser, tmp_path: Path
) -> None:
    port, key = free_port(), "k" * 20
    environ = {"COHORT_PLAYGROUND_PORT": str(port), "COHORT_PLAYGROUND_KEY": key, "COHORT_HOME": str(tmp_path)}
    with Process("playground", ["-m", "playground"], environ) as first:
        first.wait_line("playground http")
        watched = await browser.page(f"http://127.0.0.1:{port}/?key={key}")
        page = watched.page
        await page.locator('[data-make="private"]:visible').last.click()
        await page.locator("#chat:visible").wait_for()
        await page.get_by_role("combobox", name="Message").fill("half written")
    await page.locator('#status[data-is="lost"]').wait_for()
    await page.keyboard.press("Enter")
    await page.get_by_text("The playground does not answer").wait_for()
    assert await page.get_by_role("combobox", name="Message").input_value() == "half written"
    with Process("playground", ["-m", "playground"], environ):
        await page.get_by_text("This chat is gone").wait_for()
        await page.locator('[data-make="private"]:visible').last.click()
        await say(watched, "hello")
        await page.locator(".msg.own", has_text="hello").wait_for()
    assert watched.refused() == []
