"""Chromium, driven by Playwright, and a page in it whose mistakes are noted."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright import async_api as playwright

from tests.browser.product import AUTH
from tests.harness.processes import ROOT

SOON_MS = 60_000
PHONE = playwright.ViewportSize(width=360, height=740)
DESK = playwright.ViewportSize(width=1300, height=900)
QUIET = (
    *("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--no-default-browser-check", "--disable-domain-reliability"),
)
"""A browser that is tested calls its maker for nothing."""
BAD_STATUS = 400
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


def found() -> str:
    """The path of Chromium.

    Raises:
        RuntimeError: this machine has none.
    """
    looked = subprocess.run(("sh", "tools/find-chromium.sh"), cwd=ROOT, capture_output=True, text=True, check=False)
    if looked.returncode:
        raise RuntimeError(looked.stderr.strip())
    return looked.stdout.strip()


class Watched:
    """A page, and what went wrong in it: errors of its scripts and of its console, and refused or failed requests."""

    def __init__(self, page: playwright.Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.responses: list[playwright.Response] = []
        page.on("pageerror", lambda problem: self.errors.append(f"script: {problem}"))
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, message: playwright.ConsoleMessage) -> None:
        # "Failed to load resource" is noted as the response that it was.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.errors.append(f"console: {message.text}")

    def _response(self, response: playwright.Response) -> None:
        if response.status >= BAD_STATUS:
            self.responses.append(response)

    def refused(self) -> list[str]:
        """Each refused or failed request so far; they are forgotten."""
        noted, self.responses = self.responses, []
        return [f"{one.status} {one.request.method} {one.url.partition('?')[0]}" for one in noted]

    def clean(self) -> None:
        """Nothing was wrong since the last time."""
        errors, self.errors = self.errors, []
        found = [*errors, *self.refused()]
        assert not found, "\n".join(found)

    async def unusable(self) -> list[str]:
        """What axe-core finds: missing names and labels, weak contrast, roles that are wrong."""
        result = await Axe().run(self.page, options=RULES)
        return [
            f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
            for rule in result.response["violations"]
            for node in rule["nodes"]
        ]


class Browser:
    """Opens pages; each has storage of its own."""

    def __init__(self, chromium: playwright.Browser, pictures: Path) -> None:
        self._chromium = chromium
        self._pictures = Path(os.environ.get("BROWSER_PICTURES") or pictures)

    async def page(self, url: str, size: playwright.ViewportSize = DESK, **more: Any) -> Watched:
        """A page at this address."""
        names = {"username": AUTH[0], "password": AUTH[1]}
        context = await self._chromium.new_context(viewport=size, http_credentials=names, **more)
        context.set_default_timeout(SOON_MS)
        watched = Watched(await context.new_page())
        await watched.page.goto(url)
        return watched

    async def picture(self, watched: Watched, name: str) -> None:
        """Kept in $BROWSER_PICTURES, for those who want to look."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        await watched.page.screenshot(path=self._pictures / f"{name}.png")


@asynccontextmanager
async def opened(pictures: Path) -> AsyncIterator[Browser]:
    """A browser inside this block."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    async with playwright.async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=found(), args=[*QUIET, *sandbox], timeout=SOON_MS)
        try:
            yield Browser(chromium, pictures)
        finally:
            await chromium.close()
