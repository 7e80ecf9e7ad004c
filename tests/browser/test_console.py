"""Each part of the console, by desk and phone, light and dark: no error, and usable by all."""

import pytest

from playground import BOT
from playground.client import PlaygroundClient
from tests.browser.chromium import DESK, PHONE, Browser
from tests.browser.product import Up

OUTSIDE = """[...document.querySelectorAll(".tools li")].flatMap((row) => {
  const [bar, label] = ["i", "span"].map((name) => row.querySelector(name).getBoundingClientRect());
  const all = row.getBoundingClientRect();
  const high = label.top >= bar.top - 1 && label.bottom <= bar.bottom + 1;
  return high && label.left >= all.left - 1 && label.right <= all.right + 1 ? [] : [row.innerText];
})"""
"""Labels of a turn's calls that stand beyond their bar's height, or beyond the panel."""
PARTS = ("overview", "sessions", "questions", "dead", "people", "feedback")


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")])
async def test_each_part_of_the_console_shows_without_an_error_and_with_names_and_contrast(
    up: Up, people: PlaygroundClient, browser: Browser, size: dict[str, int], scheme: str
) -> None:
    chat = (await people.chat())["id"]
    await people.say(chat, "hello")
    await people.wait_for(chat, lambda ours: any("hello" in one.get("text", "") for one in ours))
    watched = await browser.page(up.console, size, color_scheme=scheme)
    page = watched.page
    found: list[str] = []
    for part in PARTS:
        await page.goto(f"{up.console}/#{part}")
        await page.locator(f'#tabs a[href="#{part}"][aria-current="page"]').wait_for()
        await page.locator("#view > *").first.wait_for()
        await page.locator('#state[data-is="good"], #state[data-is="warn"]').wait_for()
        await browser.picture(watched, f"console-{part}-{size['width']}-{scheme}")
        found += [f"{part}: {line}" for line in await watched.unusable()]
    await page.goto(f"{up.console}/#session/{BOT}:{chat}")
    await page.locator("#view ol.turns > li").first.wait_for()
    await browser.picture(watched, f"console-session-{size['width']}-{scheme}")
    found += [f"session: {line}" for line in await watched.unusable()]
    assert await page.locator(".tools li").count() > 0
    assert await page.evaluate(OUTSIDE) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page is wider than its window"
    )
    shown = (
        "import('./static/dom.js').then((dom) => [0, 0.0001, 0.034, 0.9994, 0.9996, 1, 2.25, 34, 600].map(dom.seconds))"
    )
    assert await page.evaluate(shown) == [
        "0 s",
        "under 1 ms",
        "34 ms",
        "999 ms",
        "1.0 s",
        "1 s",
        "2.3 s",
        "34 s",
        "10 min",
    ]
    watched.clean()
    assert found == []
