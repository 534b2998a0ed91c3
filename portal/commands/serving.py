"""The command that serves the queue: pages and programming interface for agencies."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 8080,
) -> None:
    """Serve the queue to agencies: web pages and programming interface."""
    from portal.serving import serve as run
    from portal.show import cell, line
    from storage.custody import current

    def started(address: str) -> None:
        line(f"[green]✓[/] 委托队列 the queue: {cell(address)}/")
        line(f"  接口说明 description of the interface: {cell(address)}/api/v1/openapi.json")
        if not address.startswith("https://"):
            line(
                "[yellow]![/] 明文 http，仅供本机试用：cookie 不受 __Host- 与 Secure 保护 "
                "plain http, for trial on this machine: cookies are not protected"
            )
        line("  按 Ctrl-C 停止 / Ctrl-C stops it")

    run(current(), host, port, started)
    line("已停止 stopped")
