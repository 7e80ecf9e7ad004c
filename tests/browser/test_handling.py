"""What people do with one message: by the mouse, by keys, and by a finger that stays on it."""

import pytest

from tests.browser.chromium import DESK, PHONE, Browser, Watched
from tests.browser.product import Up
from tests.browser.test_playground import answered, begun, say


async def hold(watched: Watched, bubble: object) -> None:
    """A finger stays on it until the menu is there, and is lifted."""
    page = watched.page
    box = await bubble.bounding_box()  # type: ignore[attr-defined]
    finger = await page.context.new_cdp_session(page)
    at = {"x": box["x"] + 30, "y": box["y"] + 12}
    await finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    await page.locator("#act:visible").wait_for()
    await finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await finger.detach()


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
async def test_a_message_is_quoted_reacted_to_forwarded_and_deleted_by_a_menu_that_all_can_use(
    up: Up, browser: Browser, size: dict[str, int], scheme: str
) -> None:
    phone = size == PHONE
    watched = await begun(browser, up, size=size, color_scheme=scheme, has_touch=phone)
    page = watched.page
    found: list[str] = []
    await say(watched, "one two three")
    await answered(watched, "one two three")
    bot = page.locator(".msg.bot").first
    if phone:
        await hold(watched, bot.locator(".bubble"))
    else:
        await bot.locator(".bubble").click(button="right")
    found += await watched.unusable()
    await browser.picture(watched, f"handling-{size['width']}-{scheme}")
    await page.get_by_role("menuitem", name="Reply to a part").click()
    marked = page.get_by_role("textbox", name="The message")
    await marked.evaluate("(a) => a.setSelectionRange(a.value.indexOf('two'), a.value.indexOf('two') + 3)")
    found += await watched.unusable()
    await page.get_by_role("button", name="Quote", exact=True).click()
    await page.locator("#about", has_text="“two”").wait_for()
    await say(watched, "this one")
    await page.locator(".msg.own .quote", has_text="“two”").wait_for()
    await answered(watched, ">two<")
    # By keys alone: the menu's button, a face, and the focus is at the message again.
    more = bot.get_by_role("button", name="More for this message")
    await bot.focus()
    await more.press("Enter")
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await bot.locator(".reacted", has_text="👍").wait_for()
    assert await bot.evaluate("(message) => message === document.activeElement")
    await more.press("Enter")
    await page.get_by_role("menuitem", name="Forward").press("Enter")
    await page.get_by_role("searchbox", name="Find a chat").last.wait_for()
    found += await watched.unusable()
    await page.locator("dialog .choices button", has_text="this chat").press("Enter")
    await page.locator(".msg.own .via", has_text="Forwarded from").wait_for()
    await answered(watched, "forwarded-from")
    first = page.locator(".msg.own").first
    await first.focus()
    await first.get_by_role("button", name="More for this message").press("Enter")
    await page.get_by_role("menuitem", name="Delete").press("Enter")
    found += await watched.unusable()
    await page.keyboard.press("Escape")
    await page.locator("dialog").wait_for(state="detached")
    assert await first.evaluate("(message) => message === document.activeElement")
    await first.get_by_role("button", name="More for this message").press("Enter")
    await page.get_by_role("menuitem", name="Delete").press("Enter")
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    await (
        page.locator(".msg.own", has_text="one two three")
        .and_(page.locator(":not(:has(.via))"))
        .wait_for(state="detached")
    )
    watched.clean()
    assert found == []


async def test_no_script_of_the_page_asks_with_the_browsers_own_boxes(up: Up, browser: Browser) -> None:
    watched = await begun(browser, up, "topics")
    page = watched.page
    boxes: list[str] = []
    page.on("dialog", lambda box: boxes.append(box.message) or box.dismiss())
    more = page.get_by_role("button", name="What can be done here")
    await more.press("Enter")
    await page.get_by_role("menuitem", name="Rename this topic").press("Enter")
    await page.get_by_role("textbox", name="What is the topic called?").fill("Renamed")
    await page.keyboard.press("Enter")
    await page.locator(".topics button", has_text="Renamed").wait_for()
    await more.press("Enter")
    await page.get_by_role("menuitem", name="Delete this topic").press("Enter")
    assert await watched.unusable() == []
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    await page.locator(".topics button", has_text="Renamed").wait_for(state="detached")
    assert boxes == []
    watched.clean()


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
async def test_a_business_account_says_that_the_bot_is_not_told_where_its_operator_has_not_asked_for_it(
    up: Up, browser: Browser, size: dict[str, int], scheme: str
) -> None:
    watched = await begun(browser, up, "business", size=size, color_scheme=scheme)
    page = watched.page
    await page.locator(".empty", has_text="COHORT_BUSINESS=on").wait_for()
    await page.locator("#subtitle", has_text="the bot is not told").wait_for()
    assert await page.get_by_role("button", name="/new").count() == 0, "commands are a customer's words"
    assert await watched.unusable() == []
    await browser.picture(watched, f"business-{size['width']}-{scheme}")
