"""The playground's page for people who read while something happens, in many chats, and in scripts of any direction."""

import asyncio
from typing import Any

from playwright.async_api import FilePayload, Route

from playground.client import PlaygroundClient
from tests.browser.chromium import PHONE, Browser, Watched
from tests.browser.product import Up
from tests.browser.test_playground import BOT, PIXEL, answered, begun, say

LISTED = 200


async def at(browser: Browser, up: Up, place: object, **more: Any) -> Watched:
    """A page with this chat open."""
    watched = await browser.page(f"{up.playground}#{place}", **more)
    await watched.page.locator("#chat:visible").wait_for()
    return watched


async def test_what_a_person_reads_and_has_chosen_stays_while_messages_come(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    chat = (await people.chat())["id"]
    await people.say(chat, "the first WORDS:900")
    watched = await at(browser, up, chat)
    page = watched.page
    await answered(watched, "word899")
    await page.evaluate("document.querySelector('#log').scrollTop = 0")
    await page.locator("#down:visible").wait_for()
    await page.locator(".msg.own").get_by_role("button", name="Reply").focus()
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('.msg.own .said'))")
    await people.say(chat, "the second")
    await answered(watched, "echo: the second")
    await page.get_by_role("button", name="To the newest message, 2 new").wait_for()
    assert await page.evaluate("document.querySelector('#log').scrollTop") == 0
    assert await page.locator(".msg.own >> nth=0 >> role=button[name=Reply]").evaluate(
        "(button) => button === document.activeElement"
    )
    assert "the first" in await page.evaluate("getSelection().toString()")
    found = await watched.unusable()
    await browser.picture(watched, "reading")
    await page.locator("#down").click()
    await page.locator("#down").wait_for(state="hidden")
    watched.clean()
    assert found == []


async def test_several_files_are_sent_as_telegram_parts_them(up: Up, browser: Browser) -> None:
    watched = await begun(browser, up)
    page = watched.page
    files: list[FilePayload] = [
        {"name": "1.png", "mimeType": "image/png", "buffer": PIXEL},
        {"name": "2.png", "mimeType": "image/png", "buffer": PIXEL},
        {"name": "one.csv", "mimeType": "text/csv", "buffer": b"a,b\n"},
    ]
    await page.set_input_files("#file", files)
    await page.get_by_text("3 files: 1.png, 2.png, one.csv").wait_for()
    await say(watched, "what are these?")
    await page.locator(".album.own .msg >> nth=1").wait_for()
    await page.locator(".own .file", has_text="one.csv").wait_for()
    assert await page.locator(".album .said:not(.bare)").all_text_contents() != []
    await answered(watched, "what are these?")
    assert await watched.unusable() == []
    watched.clean()


async def test_the_last_message_is_changed_with_the_arrow_upwards(up: Up, browser: Browser) -> None:
    watched = await begun(browser, up)
    text = watched.page.get_by_role("combobox", name="Message")
    await say(watched, "hello wrold")
    await answered(watched, "echo: hello wrold")
    await text.press("ArrowUp")
    assert await text.input_value() == "hello wrold"
    await text.press("Escape")
    assert await text.input_value() == ""
    await text.press("ArrowUp")
    await text.fill("hello world")
    await text.press("Enter")
    await watched.page.locator(".msg.own", has_text="hello world").filter(has_text="edited").wait_for()
    # An answer that grew is shown as one that was sent.
    assert await watched.page.locator(".msg.bot .meta").filter(has_text="edited").count() == 0
    watched.clean()


async def test_what_is_written_and_answered_while_a_chat_is_slow_to_open_stays(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    await people.chat()
    opened = asyncio.Event()

    async def slow(route: Route) -> None:
        before = await route.fetch()
        await opened.wait()
        await route.fulfill(response=before)

    watched = await browser.page(up.playground)
    await watched.page.route("**/messages", slow, times=1)
    await watched.page.locator("#chats button").first.click()
    await say(watched, "written early")
    await answered(watched, "echo: written early")
    await watched.page.get_by_role("combobox", name="Message").fill("and this is half")
    async with watched.page.expect_response("**/messages"):
        opened.set()
    await watched.page.locator("#log .msg").last.wait_for()
    await answered(watched, "echo: written early")
    assert await watched.page.get_by_role("combobox", name="Message").input_value() == "and this is half"
    watched.clean()


async def test_an_answer_in_a_topic_that_is_not_open_is_marked(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    topics = [f"Topic {number}" for number in range(14)]
    chat = await people.chat("supergroup", topics=topics)
    watched = await at(browser, up, chat["id"])
    page = watched.page
    bar = page.locator("#topics")
    assert await bar.evaluate("(bar) => bar.scrollWidth <= bar.clientWidth")
    await people.say(chat["id"], f"{BOT} hello", thread=chat["topics"][13]["id"])
    tab = page.locator("#topics button", has_text="Topic 13")
    await tab.get_by_role("img", name="New messages").wait_for()
    assert await watched.unusable() == []
    await tab.click()
    await answered(watched, "hello")
    await tab.get_by_role("img", name="New messages").wait_for(state="detached")
    watched.clean()


async def test_a_chat_beyond_those_that_are_listed_is_opened_and_found(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    chat = (await people.chat("group", title="The needle"))["id"]
    for number in range(LISTED):
        await people.chat("group", title=f"Hay {number}")
    watched = await at(browser, up, chat, size=PHONE)
    await watched.page.get_by_role("heading", name="The needle").wait_for()
    await watched.page.get_by_role("button", name="Back to the chats").click()
    await watched.page.reload()
    await watched.page.get_by_placeholder("Find a chat").fill("needle")
    await watched.page.locator("#chats button", has_text="The needle").click()
    await watched.page.get_by_role("heading", name="The needle").wait_for()
    watched.clean()


async def test_names_and_answers_from_right_to_left_begin_where_they_should(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    person = await people.user("محمد عبد الله")
    chat = (await people.chat(user=person["id"]))["id"]
    await people.say(chat, "مرحبا")
    watched = await at(browser, up, chat, color_scheme="dark")
    page = watched.page
    left = "(element) => getComputedStyle(element).textAlign"
    assert await page.locator("#title").evaluate(left) == "left"
    own = page.locator(".msg.own")
    assert await own.locator(".meta").evaluate("(element) => getComputedStyle(element).float") == "left"
    assert await page.locator("#chats button[aria-current] .last").get_attribute("dir") == "auto"
    # A paragraph of a rich message goes by its own script, beside one of another.
    blocks = "[{ type: 'heading', size: 1, text: 'Prices' }, { type: 'paragraph', text: 'هذا نص عربي.' }]"
    made = await page.evaluate(
        f"""import('./static/rich.js').then(({{ rich }}) => {{
          const made = rich({{ rich_message: {{ blocks: {blocks} }} }});
          document.querySelector(".msg .said").append(made);
          const {{ unicodeBidi, textAlign }} = getComputedStyle(made.querySelector("p"));
          return [unicodeBidi, textAlign];
        }})"""
    )
    assert made == ["plaintext", "start"]
    watched.clean()


async def test_the_words_of_a_rich_message_stand_apart_in_the_list_of_chats(up: Up, browser: Browser) -> None:
    watched = await browser.page(up.playground)
    paragraphs = [{"type": "paragraph", "text": [part, {"type": "bold", "text": "ly"}]} for part in ("one", "two")]
    blocks = [
        {"type": "table", "cells": [[{"text": cell} for cell in row] for row in ("ab", "cd")]},
        {"type": "blockquote", "blocks": paragraphs},
        {"type": "list", "items": [{"blocks": [paragraph]} for paragraph in paragraphs]},
    ]
    plain = "(blocks) => import('./static/rich.js').then(({ plain }) => blocks.map(plain))"
    found = await watched.page.evaluate(plain, blocks)
    assert [" ".join(one.split()) for one in found] == ["a b c d", "onely twoly", "onely twoly"]
    watched.clean()
