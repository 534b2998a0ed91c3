"""The members of an agency, for its administrator: added, given links, disabled."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from appraisal.accounts import Account, Identity, Role, new_account
from portal.web.identity import Administrator, House
from portal.web.pages.problems import status_of
from portal.web.pages.render import page
from portal.web.pages.route import pages
from portal.web.words import Pair
from storage.custody import Custody
from storage.errors import CustodyError
from tasks.accounts import Accounts

router = pages()
Text = Annotated[str, Form()]
_DONE: dict[str, Pair] = {"disabled": ("已停用。", "Disabled.")}


@router.get("/members")
def members(request: Request, custody: House, identity: Administrator, done: str = "") -> Response:
    """Show the accounts of the administrator's agency."""
    return _page(request, custody, identity, done=done)


@router.post("/members/add")
def add(
    request: Request,
    custody: House,
    identity: Administrator,
    login: Text = "",
    name: Text = "",
    email: Text = "",
    admin: Text = "",
) -> Response:
    """Add a member, and show the one-time link for them."""
    entered = {"login": login, "name": name, "email": email, "admin": admin}
    role = Role.AGENCY_ADMIN if admin else Role.AGENCY_MEMBER
    try:
        made = new_account(login, name, role, agency_id=identity.agency_id, email=email)
        code = _accounts(custody, identity).add(made)
    except CustodyError as error:
        return _page(request, custody, identity, failure=error, entered=entered)
    return _page(request, custody, identity, code=code)


@router.post("/members/link")
def link(request: Request, custody: House, identity: Administrator, account: Text = "") -> Response:
    """Give a member a new one-time link; the old password opens nothing any more."""
    try:
        code = _accounts(custody, identity).reset(account, identity.agency_id)
    except CustodyError as error:
        return _page(request, custody, identity, failure=error)
    return _page(request, custody, identity, code=code)


@router.post("/members/enable")
def enable(
    request: Request, custody: House, identity: Administrator, account: Text = ""
) -> Response:
    """Let a member in again, by a new one-time link."""
    try:
        code = _accounts(custody, identity).enable(account, identity.agency_id)
    except CustodyError as error:
        return _page(request, custody, identity, failure=error)
    return _page(request, custody, identity, code=code)


@router.post("/members/disable")
def disable(
    request: Request, custody: House, identity: Administrator, account: Text = ""
) -> Response:
    """Let a member in no more."""
    try:
        _accounts(custody, identity).disable(account, identity.agency_id)
    except CustodyError as error:
        return _page(request, custody, identity, failure=error)
    return RedirectResponse("/members?done=disabled", 303)


def _accounts(custody: Custody, identity: Identity) -> Accounts:
    return Accounts(custody, identity.person)


def _page(
    request: Request,
    custody: Custody,
    identity: Identity,
    *,
    failure: CustodyError | None = None,
    entered: dict[str, str] | None = None,
    code: str = "",
    done: str = "",
) -> Response:
    rows: list[dict[str, Any]] = _accounts(custody, identity).all(identity.agency_id)
    return page(
        request,
        "members.html",
        identity,
        status=status_of(failure) if failure else 200,
        members=[Account.from_json(row) for row in rows],
        failure=failure,
        entered=entered or {},
        link=one_time_link(request, code) if code else "",
        done=_DONE.get(done),
    )


def one_time_link(request: Request, code: str) -> str:
    """Return the address at which a one-time code sets a password."""
    base: str = request.app.state.custody.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/welcome/{code}"
