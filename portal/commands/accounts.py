"""Commands for the accounts of the queue: made, given links and tokens, ended."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from appraisal.accounts import Role, Scope

if TYPE_CHECKING:
    from tasks.accounts import Accounts

account = typer.Typer(no_args_is_help=True, help="Who may use the queue: accounts and tokens.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Login = Annotated[str, typer.Argument(help="Login.", show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who does it; default: the receiver.")]
Name = Annotated[str, typer.Option(help="Name of the person.")]
Agency = Annotated[str, typer.Option(help="Identifier of the agency; none for the bureau.")]
Email = Annotated[str, typer.Option(help="E-mail address, as the sign-in service knows it.")]
Subject = Annotated[str, typer.Option(help="Identifier at the sign-in service (OIDC sub).")]
PersonId = Annotated[str, typer.Option(help="Number of the person in their unit.")]


def _accounts(by: str) -> Accounts:
    from portal.acting import person
    from storage.custody import current
    from tasks.accounts import Accounts

    return Accounts(current(), person(by))


def _print_link(code: str) -> None:
    from portal.show import cell, line
    from portal.web.addresses import public_address
    from storage.settings import settings

    line(f"  一次性链接 one-time link, {settings().link_hours} h, shown once:")
    line(f"  {cell(public_address(settings()))}/welcome/{code}")


def _say(zh: str, en: str, login: str) -> None:
    from portal.show import cell, line

    line(f"[green]✓[/] {cell(login)}：{zh} {en}")


@account.command("add")
def add(
    login: Login,
    role: Annotated[Role, typer.Option(help="What the account is for.", show_default=False)],
    name: Name,
    agency: Agency = "",
    email: Email = "",
    subject: Subject = "",
    person_id: PersonId = "",
    by: By = "",
) -> None:
    """Make an account, and print the one-time link with which its password is set."""
    from appraisal.accounts import new_account

    made = new_account(
        login,
        name,
        role,
        agency_id=agency,
        email=email,
        subject=subject,
        person_id=person_id,
    )
    code = _accounts(by).add(made)
    _say("账户已建立", "account made", made.login)
    _print_link(code)


@account.command("list")
def list_accounts(
    agency: Annotated[str, typer.Option(help="Of this agency alone.")] = "", json: Json = False
) -> None:
    """List accounts."""
    from appraisal.accounts import ROLE_NAMES
    from portal.show import as_json, table

    found = _accounts("").all(agency or None)
    if json:
        as_json(found)
        return
    rows = [
        (
            each["login"],
            each["name"],
            " ".join(ROLE_NAMES[Role(each["role"])]),
            each["agency_id"],
            each["state"],
            each["last_signed_in"],
        )
        for each in found
    ]
    columns = ("登录名", "姓名", "角色", "机构", "状态", "最近登录")
    table("账户 accounts", columns, rows)


@account.command("change")
def change(
    login: Login,
    role: Annotated[Role | None, typer.Option(help="Its new role.")] = None,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    email: Annotated[str | None, typer.Option(help="New e-mail address.")] = None,
    subject: Annotated[str | None, typer.Option(help="New OIDC subject.")] = None,
    person_id: Annotated[str | None, typer.Option(help="New number.")] = None,
    by: By = "",
) -> None:
    """Change an account; with another role it must sign in again."""
    from dataclasses import replace

    accounts = _accounts(by)
    asked: dict[str, Any] = {
        "role": role,
        "name": name,
        "email": email,
        "subject": subject,
        "person_id": person_id,
    }
    wanted = {key: value for key, value in asked.items() if value is not None}
    accounts.change(replace(accounts.find(login), **wanted))
    _say("已更改", "changed", login)


@account.command("disable")
def disable(login: Login, by: By = "") -> None:
    """Let nobody in with an account; its sessions end, its tokens are of no use."""
    _accounts(by).disable(login)
    _say("已停用", "disabled", login)


@account.command("enable")
def enable(login: Login, by: By = "") -> None:
    """Let an account in again, by a new one-time link."""
    code = _accounts(by).enable(login)
    _say("已启用", "enabled", login)
    _print_link(code)


@account.command("reset")
def reset(login: Login, by: By = "") -> None:
    """Forget a password and end all sessions; print a new one-time link. Tokens stay."""
    from portal.show import cell, line

    accounts = _accounts(by)
    code = accounts.reset(login)
    _say("密码已作废", "password forgotten", login)
    _print_link(code)
    if usable := [each for each in accounts.tokens(accounts.find(login)) if each["usable"]]:
        line(
            f"[yellow]![/] 仍有{len(usable)}个接口令牌有效 API tokens still work; if somebody else "
            f"knew the password: custody account tokens {cell(login)}, then revoke"
        )


@account.command("sign-out")
def sign_out(login: Login, by: By = "") -> None:
    """End every session of an account."""
    count = _accounts(by).sign_out(login)
    _say(f"已结束{count}个会话", f"{count} sessions ended", login)


@account.command("token")
def token(
    login: Login,
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat.", show_default=False)],
    label: Annotated[str, typer.Option(help="What it is used for.")] = "client",
    days: Annotated[int, typer.Option(help="Days until it expires.")] = 90,
    by: By = "",
) -> None:
    """Make an API token of an account; it is shown once."""
    from portal.show import cell, line

    accounts = _accounts(by)
    made = accounts.new_token(accounts.find(login), label, scope, days)
    _say("令牌已建立", f"token {made.token_id} made, until {made.expires_at}", login)
    line(f"  仅显示一次 shown once: {cell(made.secret)}")


@account.command("tokens")
def tokens(login: Login, json: Json = False) -> None:
    """List the tokens of an account."""
    from portal.show import as_json, table

    accounts = _accounts("")
    found = accounts.tokens(accounts.find(login))
    if json:
        as_json(found)
        return
    rows = [
        (t["token_id"], t["label"], t["scopes"], t["expires_at"], "✓" if t["usable"] else "—")
        for t in found
    ]
    table("令牌 tokens", ("编号", "名称", "权限", "到期", "可用"), rows)


@account.command("revoke")
def revoke(
    login: Login,
    token_id: Annotated[str, typer.Argument(help="Its identifier.", show_default=False)],
    by: By = "",
) -> None:
    """Let a token be of no use any more."""
    accounts = _accounts(by)
    accounts.revoke_token(accounts.find(login), token_id)
    _say("令牌已吊销", f"token {token_id} revoked", login)


class Kind(StrEnum):
    """Which events the log of accounts shows."""

    SIGN_IN = "sign_in"
    ACCOUNT = "account"


@account.command("log")
def log(
    kind: Annotated[Kind, typer.Option(help="Sign-ins and refusals, or changes.")] = Kind.SIGN_IN,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    json: Json = False,
) -> None:
    """List the newest sign-ins and refusals, or changes of accounts, from the custody log."""
    from portal.show import as_json, table
    from storage.custody import current
    from storage.story import tell
    from tasks.accounts import newest_events

    found = newest_events(current(), kind.value, last)
    if json:
        as_json([{"at": each.occurred_at, **each.details} for each in found])
        return
    rows = [(each.occurred_at, each.actor.name, tell(each)) for each in found]
    table("账户记录 log of accounts", ("时间", "何人", "何事"), rows)
