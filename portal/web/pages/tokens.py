"""The API tokens of whoever is signed in: made, shown once, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from appraisal.accounts import Identity, Scope
from portal.web.identity import House, SelfService
from portal.web.pages.problems import status_of
from portal.web.pages.render import page
from portal.web.pages.route import pages
from portal.web.words import Pair
from storage.clock import stamp
from storage.custody import Custody
from storage.errors import CustodyError, InputError
from tasks.accounts import Accounts

router = pages()
Text = Annotated[str, Form()]
_DONE: dict[str, Pair] = {"revoked": ("令牌已吊销。", "The token is revoked.")}


@router.get("/tokens")
def tokens(request: Request, custody: House, identity: SelfService, done: str = "") -> Response:
    """Show the tokens of the person who is signed in."""
    return _page(request, custody, identity, done=done)


@router.post("/tokens/add")
def add(
    request: Request,
    custody: House,
    identity: SelfService,
    name: Text = "",
    days: Text = "",
    scopes: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Make a token and show it once."""
    accounts = Accounts(custody, identity.person)
    try:
        account = accounts.find(identity.account_id)
        made = accounts.new_token(account, name, _scopes(scopes or []), _days(days))
    except CustodyError as error:
        entered = {"name": name, "days": days}
        return _page(request, custody, identity, failure=error, entered=entered, picked=scopes)
    return _page(request, custody, identity, secret=made.secret)


@router.post("/tokens/revoke")
def revoke(
    request: Request, custody: House, identity: SelfService, token_id: Text = ""
) -> Response:
    """Let a token be of no use any more."""
    accounts = Accounts(custody, identity.person)
    try:
        accounts.revoke_token(accounts.find(identity.account_id), token_id)
    except CustodyError as error:
        return _page(request, custody, identity, failure=error)
    return RedirectResponse("/tokens?done=revoked", 303)


def _scopes(untrusted: list[str]) -> list[Scope]:
    known = {each.value: each for each in Scope}
    if not set(untrusted) <= set(known):
        raise InputError(
            "没有这种权限 there is no such scope",
            remedy="请从所列权限中选择 choose among those listed",
        )
    return [known[each] for each in untrusted]


def _days(untrusted: str) -> int:
    if not (untrusted.isascii() and untrusted.isdigit() and len(untrusted) < 5):
        raise InputError("天数应为整数 days is a whole number", remedy="如 for example 90")
    return int(untrusted)


def _page(
    request: Request,
    custody: Custody,
    identity: Identity,
    *,
    failure: CustodyError | None = None,
    entered: dict[str, str] | None = None,
    picked: list[str] | None = None,
    secret: str = "",
    done: str = "",
) -> Response:
    accounts = Accounts(custody, identity.person)
    rows = accounts.tokens(accounts.find(identity.account_id))
    zone = custody.settings.timezone
    return page(
        request,
        "tokens.html",
        identity,
        status=status_of(failure) if failure else 200,
        tokens=[_shown(row, zone) for row in rows if row["usable"] and not row["revoked_at"]],
        failure=failure,
        entered=entered or {},
        picked=[Scope.READ.value] if picked is None else picked,
        secret=secret,
        done=_DONE.get(done),
    )


def _shown(row: Mapping[str, Any], zone: str) -> dict[str, Any]:
    used = stamp(datetime.fromtimestamp(row["used"], UTC), zone) if row["used"] else ""
    scopes = [Scope(each) for each in row["scopes"].split()]
    return {**row, "scopes": scopes, "used_at": used}
