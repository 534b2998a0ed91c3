"""One server over one made world and one browser, for every test of the pages.

They end with the last test of the pages: while a browser is open, its event loop runs in this
process, and no other test could run one of its own.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from portal.web.app import create_app
from storage.custody import Custody
from tests.browser.seen import CHROMIUM, Site, Visitor
from tests.browser.world import World, made_world
from tests.hashing import hash_cheaply
from tests.house import opened_house


@contextlib.contextmanager
def served(custody: Custody) -> Iterator[str]:
    """Serve an installation on a free port until the block ends; yield its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(custody), log_level="warning", timeout_keep_alive=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="package", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """Hash passwords quickly, in what is made once for many tests too."""
    with pytest.MonkeyPatch.context() as patch:
        hash_cheaply(patch)
        yield


@pytest.fixture(scope="package")
def agencies_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The bureau, its agencies and their commissions."""
    folder = tmp_path_factory.mktemp("browser")
    opened = time.monotonic()
    with opened_house(folder / "home") as custody:
        yield made_world(custody, folder, lambda: timedelta(seconds=int(time.monotonic() - opened)))


@pytest.fixture(scope="package")
def site(agencies_world: World) -> Iterator[Site]:
    """The server, as somebody outside reaches it."""
    with served(agencies_world.custody) as address:
        yield Site(address, agencies_world)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Visitor]:
    """Somebody at a desk; at the end nothing may have gone wrong in their browser."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(Visitor.come(chromium, site))
