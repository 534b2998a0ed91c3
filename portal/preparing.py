"""Preparing an installation: the workspace, then Prefect's own database, with what it takes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from flows.engine import prepare_engine
from portal.show import cell, line
from storage.custody import init_custody, join_custody
from storage.errors import InputError, IntegrityError
from storage.policy import parse_policy
from storage.settings import settings
from storage.stores import store_address
from storage.workspace import Workspace


def prepare(*, engine: bool = True) -> None:
    """Make what is missing and say so; nothing that exists is overwritten."""
    chosen = settings()
    # A wrong address is told before a key is made for a store that cannot be used.
    store_address(chosen)
    workspace = Workspace(chosen.home)
    made = init_custody(chosen)
    if made:
        line(f"[green]✓[/] 工作区 workspace: [bold]{cell(workspace.root)}[/]")
        line(f"  投递目录 drop folder: {cell(workspace.drop)}/<unit>/")
        line(f"  日志公钥 log key to publish: {cell(workspace.log_public_key)}")
        line(f"  私钥 private key (0600), back it up: {cell(workspace.log_key)}")
    else:
        line(
            f"[green]✓[/] 工作区已存在，未改动；数据表为最新版本 workspace exists, its "
            f"tables are up to date: {cell(workspace.root)}"
        )
    if engine and not chosen.prefect_api_url:
        prepare_prefect()


def join_installation(policy: Path) -> None:
    """Join an installation whose log another host keeps, and say what was found.

    Raises:
        InputError: the policy cannot be read, or the settings do not fit.
    """
    try:
        found = parse_policy(policy.read_bytes())
    except (OSError, IntegrityError) as error:
        raise InputError(
            f"the policy {policy} cannot be used: {error}",
            remedy="take what 'custody policy' prints on the host that keeps the log",
        ) from error
    custody = join_custody(settings(), found)
    line(f"[green]✓[/] 已加入 joined: [bold]{cell(found.ring.name)}[/]")
    line(f"  工作区 workspace: {cell(custody.workspace.root)}")
    line(
        f"  日志 log: {custody.log.head().published_size} 条，由别处签名 entries, signed elsewhere"
    )


def prepare_prefect() -> None:
    """Make Prefect's database before the first run, which would otherwise look stuck."""
    prepare_engine(settings())
    if (Workspace(settings().home).prefect / "prefect.db").exists():
        return
    line("准备 Prefect 数据库，约 10 秒 / making Prefect's database, about 10 s …")
    started = time.monotonic()
    command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "-y"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        line(f"[yellow]![/] {cell(' '.join(last))}; Prefect makes it at the first run")
        return
    line(f"[green]✓[/] Prefect 已就绪 ready ({time.monotonic() - started:.0f} s)")
