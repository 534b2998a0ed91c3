"""Somebody with a browser: what they do, and what must never happen in their browser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.browser.world import PASSWORD, World, number

DESK, PHONE = (1280, 900), (390, 844)
CHROMIUM: dict[str, Any] = {
    "executable_path": "/usr/bin/chromium",
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
}
_GRAVE = {"serious", "critical"}
_PATIENCE_MS = 60_000
"""On a loaded machine a page may take long; what never comes fails all the same."""
expect.set_options(timeout=_PATIENCE_MS)


@dataclass(frozen=True)
class Site:
    """The server, and the world behind it."""

    address: str
    world: World

    def commission(self, index: int, page: str = "/commission") -> str:
        """Return the address of one of the commissions."""
        return f"{self.address}{page}?number={quote(number(index))}"


@dataclass
class Visitor:
    """One person with one browser; ``wrong`` collects what their browser complained of."""

    site: Site
    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)

    @classmethod
    @contextlib.contextmanager
    def come(
        cls, browser: Browser, site: Site, size: tuple[int, int] = DESK, **options: Any
    ) -> Iterator[Visitor]:
        """Come with an empty browser; on leaving, nothing may have gone wrong in it.

        Raises:
            AssertionError: an error on the console, a breach of the content security policy, a
                request to another host, or an answer of 500.
        """
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", **options
        )
        context.set_default_timeout(_PATIENCE_MS)
        visitor = cls(site, context, context.new_page())
        context.on("console", lambda said: visitor._heard(said.type, said.text))
        context.on("weberror", lambda error: visitor.wrong.append(str(error.error)))
        context.on("request", visitor._asked)
        context.on("response", lambda answer: visitor._answered(answer.status, answer.url))
        try:
            yield visitor
        finally:
            context.close()
        if visitor.wrong:
            raise AssertionError("\n".join(visitor.wrong))

    def _heard(self, kind: str, text: str) -> None:
        # A refused form is a page with its own status, which Chromium's console counts as an error.
        if kind in ("error", "warning") and "the server responded with a status of 4" not in text:
            self.wrong.append(f"{kind}: {text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.site.address, "data:", "blob:")):
            self.wrong.append(f"another host: {request.url}")

    def _answered(self, status: int, url: str) -> None:
        if status >= 500:
            self.wrong.append(f"{status} {url}")

    def open(self, path: str) -> None:
        """Open a page by its address or path."""
        self.page.goto(path if path.startswith("http") else self.site.address + path)

    def sign_in(self, login: str = "zhoujing", password: str = PASSWORD) -> None:
        """Sign in by the form."""
        self.open("/sign-in")
        self.page.locator("[name=name]").fill(login)
        self.page.locator("[name=password]").fill(password)
        self.page.locator("[name=password]").press("Enter")
        self.page.wait_for_url(lambda address: "/sign-in" not in address)

    def speak_english(self) -> None:
        """Switch the language where one is."""
        self.page.get_by_role("link", name="English").click()

    def inaccessible(self) -> list[str]:
        """Return what axe finds serious or critical on the page."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['help']} {node['target']} {node.get('failureSummary', '')}"
            for each in found
            if each["impact"] in _GRAVE
            for node in each["nodes"]
        ]

    def fits(self) -> bool:
        """Whether nothing of the page is wider than the window."""
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        )
