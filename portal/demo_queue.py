"""The demonstration's two agencies: one works on the page, the other by its headless client.

The queue is served by the real command in a process of its own. The first agency's administrator
opens her one-time link and does everything by the forms of the page; the second has an API token
and ``custody agency-client``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appraisal.accounts import Role, Scope, new_account
from appraisal.commission import Commission
from deploy.sample.visitor import Visitor, lines
from portal.agency_client.service import Service
from portal.show import cell, line
from storage.custody import current
from storage.errors import HostError, IntegrityError
from tasks.accounts import Accounts

PASSWORD = "钎焊 ladder 黄浦 orchid 2026"  # noqa: S105 - an invented person's, for a demonstration
_SECONDS = 60.0


@contextmanager
def served() -> Iterator[str]:
    """Serve the queue on a free port of this machine and yield its address.

    Raises:
        HostError: it did not start.
    """
    command = [sys.executable, "-m", "portal.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield _address(server)
        finally:
            server.terminate()
            server.wait(_SECONDS)


def _address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    for told in server.stdout:
        for word in told.split():
            if word.startswith("http://"):
                return word.rstrip("/")
    raise HostError("the queue did not start", remedy="run 'custody serve' and read what it says")


class PageAgency:
    """An agency whose administrator works with the page."""

    def __init__(self, address: str, agency: str, login: str, name: str) -> None:
        """Make her account, open its one-time link, set a password."""
        account = new_account(login, name, Role.AGENCY_ADMIN, agency_id=agency)
        code = Accounts(current()).add(account)
        self._visitor = Visitor(address)
        self._visitor.go(f"/welcome/{code}")
        self._visitor.send(f"/welcome/{code}", {"password": PASSWORD, "again": PASSWORD})
        line(f"[green]✓[/] {cell(name)} 以一次性链接登录 signed in by a one-time link")

    def __enter__(self) -> PageAgency:
        return self

    def __exit__(self, *exception: object) -> None:
        self._visitor.send("/sign-out")
        self._visitor.__exit__()

    def take(self, commission: Commission, folder: Path) -> None:
        """Fetch the package, compare, acknowledge by the digest computed here, accept."""
        self._open(commission)
        computed = self._fetch(commission, "package", folder)
        self._visitor.send("/commission/receive", {"package_digest": computed})
        self._visitor.send("/commission/accept")
        line(
            f"[green]✓[/] {cell(commission.commission_no)} 网页：下载、复述校验值、受理 "
            "on the page: downloaded, digest repeated, accepted"
        )

    def ask(self, commission: Commission, what: str) -> None:
        """Ask for a supplement."""
        self._open(commission)
        self._visitor.send("/commission/request_supplement", {"what": what})
        line(f"[yellow]…[/] {cell(commission.commission_no)} 要求补充材料，停止计时 clock stopped")

    def take_supplement(self, commission: Commission, number: str, folder: Path) -> None:
        """Fetch the supplement's package and acknowledge it by its digest."""
        self._open(commission)
        computed = self._fetch(commission, "S1", folder)
        self._visitor.send("/commission/receive_supplement", {"package_digest": computed})
        self._visitor.send("/commission/start", {"appraisers": ""})
        line(f"[green]✓[/] {cell(commission.commission_no)} 收到 {number}，恢复计时 clock runs")

    def give(self, commission: Commission, document: Path, told: Mapping[str, Any]) -> None:
        """Return the opinion by the page's form."""
        self._open(commission)
        (form,) = self._visitor.links("/commission/opinion")
        self._visitor.go(form)
        self._visitor.send("/commission/opinion", _entered(told), {"document": document})
        line(f"[green]✓[/] {cell(commission.commission_no)} 网页提交鉴定意见书 opinion returned")

    def _fetch(self, commission: Commission, which: str, folder: Path) -> str:
        """Follow the page's link to a file, and return the digest of what came."""
        link = f"/api/v1/commissions/{commission.brief.commission_id}/files/{which}"
        if link not in self._visitor.links(link):
            raise HostError(f"the page has no link to {which}")
        target = folder / "fetched.part"
        try:
            return self._visitor.fetch(link, target)
        finally:
            target.unlink(missing_ok=True)

    def _open(self, commission: Commission) -> None:
        self._visitor.go("/queue")
        number = commission.commission_no
        for link in self._visitor.links("/commission?"):
            self._visitor.go(link)
            if f'name="number" value="{number}"' in self._visitor.text:
                return
        raise IntegrityError(f"{number} does not lie in the agency's queue")


def _entered(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the particulars as a person types them into the form."""
    ticks = ("seal", "qualification_annex", "undertaking", "clear")
    entered: dict[str, Any] = {key: "yes" for key in ticks if told.get(key)}
    for key, value in told.items():
        if key in ("basis", "standards", "annexes"):
            entered[key] = lines(value)
        elif key not in (*ticks, "appraisers", "agency_id"):
            entered[key] = value
    for index, person in enumerate(told["appraisers"]):
        signed = {"signed": "yes"} if person.get("signed") else {}
        words = {key: person.get(key, "") for key in ("name", "licence_no", "field", "title")}
        for key, value in {**words, **signed}.items():
            entered[f"appraiser-{index}-{key}"] = value
    return entered


def by_client(address: str, commission: Commission, login: str, name: str, folder: Path) -> None:
    """Let another agency's headless client fetch and acknowledge, and accept by the interface."""
    accounts = Accounts(current())
    accounts.add(new_account(login, name, Role.AGENCY_MEMBER, agency_id=commission.agency_id))
    made = accounts.new_token(accounts.find(login), "演示 demo", Scope, days=1)
    token = folder / "agency.token"
    token.touch(0o600)
    token.write_text(made.secret)
    command = [sys.executable, "-m", "portal.cli", "agency-client", "--url", address]
    command += ["--token-file", str(token), "--folder", str(folder / "agency"), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise HostError(f"agency-client: {done.stdout}{done.stderr}".strip())
    for told in done.stdout.splitlines():
        line(f"  {cell(told)}")
    service = Service(address, token, None, "")
    try:
        service.post(f"/commissions/{commission.brief.commission_id}/accept", {})
    finally:
        service.close()
        token.unlink()
    line(
        f"[green]✓[/] {cell(commission.commission_no)} 接口：自动下载、核对、签收，再受理 "
        "by the interface: fetched, compared, acknowledged, then accepted"
    )
