"""The playground's page for people who go back, reload, and paste more than a message takes."""

from playground.client import PlaygroundClient
from tests.browser.chromium import PHONE, Browser
from tests.browser.product import Up
from tests.browser.test_playground import answered, say
from tests.browser.test_reading import at


async def test_back_leads_to_the_list_and_a_reload_keeps_what_was_begun(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    first, second = [(await people.chat("group", title=title))["id"] for title in ("First", "Second")]
    watched = await browser.page(up.playground, PHONE)
    page = watched.page
    text = page.get_by_role("combobox", name="Message")
    row = page.locator("#chats button", has_text="First")
    await row.click()
    await text.fill("half a thought")
    await page.go_back()
    await page.locator("#chat").wait_for(state="hidden")
    await page.go_forward()
    await page.get_by_role("heading", name="First").wait_for()
    assert await text.input_value() == "half a thought"
    await page.reload()
    await page.get_by_role("heading", name="First").wait_for()
    await page.wait_for_function("document.querySelector('#text').value === 'half a thought'")
    await page.get_by_role("button", name="Back to the chats").click()
    await page.locator("#chat").wait_for(state="hidden")
    assert "#" not in page.url
    # A link to another chat is followed in the page that is open.
    await page.evaluate(f"location.hash = '#{second}'")
    await page.get_by_role("heading", name="Second").wait_for()
    assert await text.input_value() == ""
    await page.evaluate(f"location.hash = '#{first}'")
    await page.get_by_role("heading", name="First").wait_for()
    watched.clean()


async def test_a_long_text_is_sent_in_pieces_as_telegrams_apps_part_it(
    up: Up, people: PlaygroundClient, browser: Browser
) -> None:
    chat = (await people.chat())["id"]
    watched = await at(browser, up, chat)
    lines = [f"line {number} of a pasted text 👍" for number in range(400)]
    await say(watched, "\n".join(lines))
    await answered(watched, "line 399")
    said = [one["text"] for one in await people.messages(chat) if not one["from"]["is_bot"]]
    assert "\n".join(said).split("\n") == lines
    assert max(len(one.encode("utf-16-le")) for one in said) <= 2 * 4096
    asked = "[pieces('ab cd', 3), pieces('👍👍👍', 3), pieces(' a '), pieces('')]"
    found = await watched.page.evaluate(f"import('./static/pieces.js').then(({{ pieces }}) => {asked})")
    assert found == [["ab", "cd"], ["👍", "👍", "👍"], ["a"], []]
    watched.clean()
