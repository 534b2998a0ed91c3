"""Signing in and out: by password, by one-time link; the pages' forms post here.

A session is always a new one: what a browser showed before counts no more. Where somebody goes
next is an address of ours or the start page. Wrong login and wrong password are told alike.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from appraisal.accounts import Account
from appraisal.credentials import is_secret
from portal.web import cross_site
from portal.web.addresses import local
from portal.web.attempts import attempt
from portal.web.identity import House, SelfService, public, refuse, session_identity
from portal.web.limits import limits_of
from portal.web.pages.problems import status_of
from portal.web.pages.render import page
from portal.web.pages.route import pages
from portal.web.sessions import (
    DEVICE,
    DEVICE_DAYS,
    SESSION,
    STRANGER,
    Sessions,
    drop_cookie,
    put_cookie,
    shown,
)
from storage.custody import Custody
from storage.errors import CustodyError, InputError, StateError
from tasks.accounts import Accounts

router = pages()
Text = Annotated[str, Form()]
_WRONG = "登录名或密码不正确 the account or the password is not right"
_LOCKED = "尝试次数过多，请稍后再试 too many attempts, try again later"


def let_in(request: Request, account: Account, means: str, after: str = "/") -> Response:
    """Begin a session of somebody who has shown who they are; send them on."""
    custody: Custody = request.app.state.custody
    sessions, settings = Sessions(custody), custody.settings
    former = shown(request, settings, SESSION)
    secret = sessions.begin(account, means, limits_of(request).address(request), former)
    response = RedirectResponse(local(after), 303)
    put_cookie(response, settings, SESSION, secret)
    drop_cookie(response, settings, STRANGER)
    put_cookie(response, settings, DEVICE, sessions.mark_device(account), DEVICE_DAYS * 86_400)
    return response


async def own_form(request: Request) -> None:
    """Let in the forms of our own pages, made before anybody was signed in."""
    try:
        await cross_site.require_own_page(request, stranger=True)
    except Exception:
        refuse(request, "other_page")
        raise


Public = [Depends(public)]
PublicForm = [Depends(public), Depends(own_form)]


@router.get("/sign-in", dependencies=Public)
def sign_in_page(request: Request, custody: House, next: str = "/") -> Response:
    """Show the form; whoever is signed in goes on."""
    if session_identity(request) is not None:
        return RedirectResponse(local(next), 303)
    return _form(request, custody, next)


@router.post("/sign-in", dependencies=PublicForm)
def sign_in(
    request: Request,
    custody: House,
    name: Text = "",
    password: Text = "",
    next: Text = "/",
) -> Response:
    """Sign in with a password."""
    address = limits_of(request).address(request)
    device = shown(request, custody.settings, DEVICE)
    outcome = attempt(custody, name, password, address, device)
    if outcome.account is not None:
        return let_in(request, outcome.account, "password", next)
    refuse(request, "locked" if outcome.wait else "password", outcome.tried_account)
    if outcome.wait:
        failure: CustodyError = StateError(
            _LOCKED, remedy=f"请等待 {outcome.wait} 秒 wait {outcome.wait} seconds"
        )
        response = _form(request, custody, next, name, failure, 429)
        response.headers["Retry-After"] = str(outcome.wait)
        return response
    failure = InputError(_WRONG, remedy="核对后重试 check both and try again")
    return _form(request, custody, next, name, failure, 403)


def _form(
    request: Request,
    custody: Custody,
    after: str,
    name: str = "",
    failure: CustodyError | None = None,
    status: int = 200,
) -> Response:
    return page(
        request,
        "sign_in.html",
        status=status,
        next=local(after),
        name=name[:64],
        failure=failure,
        notice="",
        oidc=custody.settings.oidc_name if custody.settings.oidc_issuer else "",
    )


@router.post("/sign-out")
def sign_out(request: Request, custody: House, identity: SelfService) -> Response:
    """End the session."""
    return _ended(request, custody, identity, everywhere=False)


@router.post("/sign-out/everywhere")
def sign_out_everywhere(request: Request, custody: House, identity: SelfService) -> Response:
    """End every session of the account; browsers are no longer known."""
    return _ended(request, custody, identity, everywhere=True)


def _ended(
    request: Request, custody: House, identity: SelfService, *, everywhere: bool
) -> Response:
    secret = shown(request, custody.settings, SESSION)
    Sessions(custody).end(secret, identity, everywhere=everywhere)
    response = RedirectResponse("/sign-in", 303)
    drop_cookie(response, custody.settings, SESSION)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@router.get("/welcome/{code}", dependencies=Public)
def welcome(request: Request, code: str) -> Response:
    """Show the form that sets a password; whether the code is valid is told when it is sent."""
    return _welcome(request, code)


@router.post("/welcome/{code}", dependencies=PublicForm)
def set_password(
    request: Request, custody: House, code: str, password: Text = "", again: Text = ""
) -> Response:
    """Set a password with a one-time code, and sign in."""
    try:
        if password != again:
            raise InputError(
                "两次输入不一致 the two are not the same", remedy="请重新输入两次 type both again"
            )
        account = Accounts(custody).set_password(code if is_secret(code) else "", password)
    except CustodyError as error:
        if status_of(error) == 404:
            refuse(request, "code")
        return _welcome(request, code, error)
    return let_in(request, account, "link")


def _welcome(request: Request, code: str, failure: CustodyError | None = None) -> Response:
    action = f"/welcome/{code}" if is_secret(code) else "/welcome/-"
    return page(
        request,
        "set_password.html",
        status=status_of(failure) if failure else 200,
        account="",
        secret="",
        action=action,
        failure=failure,
    )
