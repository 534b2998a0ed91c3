"""The command that serves the queue: pages and programming interface for agencies."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 8080,
) -> None:
    """Serve the queue to agencies: web pages and programming interface."""
    from portal.logs import logged, say
    from portal.serving import serve as run
    from portal.show import cell
    from storage.custody import current

    def started(address: str) -> None:
        say("started", f"[green]✓[/] 委托队列 the queue: {cell(address)}/")
        description = f"{cell(address)}/api/v1/openapi.json"
        say("serves", f"  接口说明 description of the interface: {description}")
        if not address.startswith("https://"):
            say(
                "serves.plain",
                "[yellow]![/] 明文 http，仅供本机试用：cookie 不受 __Host- 与 Secure 保护 "
                "plain http, for trial on this machine: cookies are not protected",
                level="warning",
            )
        say("serves", "  按 Ctrl-C 停止 / Ctrl-C stops it")

    with logged("serve"):
        run(current(), host, port, started)
        say("stopped", "已停止 stopped")
