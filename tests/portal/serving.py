"""A real server of the interface on a free loopback port, with faults that can be switched on."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from tests.portal.web.api.world import World


@dataclass
class Faults:
    """What goes wrong on the way: asked for each connection anew.

    ``cut`` ends an answer, or a request's body, after so many bytes; ``alter`` changes a byte of
    downloads; ``slow`` waits between pieces, seconds; ``paths`` limits all of it.
    """

    cut: int = 0
    alter: bool = False
    slow: float = 0.0
    path: str = ""
    seen: list[str] = field(default_factory=list)

    def hit(self, scope: Any) -> bool:
        """Whether a request is one that something goes wrong with."""
        return bool(self.path) and self.path in scope["path"]


class Broken:
    """The application behind a bad line."""

    def __init__(self, app: Any, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        faults = self._faults
        if scope["type"] == "http":
            faults.seen.append(f"{scope['method']} {scope['path']}")
        if scope["type"] != "http" or not faults.hit(scope):
            await self._app(scope, receive, send)
            return
        passed = {"in": 0, "out": 0}

        async def taken() -> Any:
            message = await receive()
            passed["in"] += len(message.get("body", b""))
            if faults.slow:
                await _sleep(faults.slow)
            if faults.cut and passed["in"] > faults.cut:
                faults.path, passed["lost"] = "", 1
                return {"type": "http.disconnect"}
            return message

        async def given(message: Any) -> None:
            if "lost" in passed:
                raise ConnectionResetError("cut by the test")
            body = message.get("body", b"")
            if body and faults.alter:
                message = {**message, "body": bytes([body[0] ^ 1]) + body[1:]}
            if faults.slow:
                await _sleep(faults.slow)
            passed["out"] += len(body)
            if faults.cut and passed["out"] > faults.cut:
                faults.path = ""
                keep = len(body) - (passed["out"] - faults.cut)
                await send({**message, "body": body[:keep], "more_body": True})
                raise ConnectionResetError("cut by the test")
            await send(message)

        await self._app(scope, taken, given)


async def _sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


@contextlib.contextmanager
def serving(world: World, faults: Faults | None = None, port: int = 0) -> Iterator[str]:
    """Serve a world's application; yield its address."""
    app = Broken(world.app, faults) if faults else world.app
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
