"""Accounts of the queue: who may come in, and what each role may do. Pure.

An account belongs to an agency or to the bureau, and its role says to which. An auditor reads
and does nothing; nobody is auditor and officer at once. (RULES: AU-01, ST-06.)
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from storage.errors import ConflictError, InputError
from storage.normal import normal_form
from storage.nouns import Person


class Role(StrEnum):
    """What an account is for; the first two belong to an agency, the others to the bureau."""

    AGENCY_ADMIN = "agency_admin"
    AGENCY_MEMBER = "agency_member"
    OFFICER = "officer"
    AUDITOR = "auditor"


ROLE_NAMES: dict[Role, tuple[str, str]] = {
    Role.AGENCY_ADMIN: ("机构管理员", "agency administrator"),
    Role.AGENCY_MEMBER: ("机构成员", "agency member"),
    Role.OFFICER: ("办案人员", "officer"),
    Role.AUDITOR: ("审计员", "auditor"),
}
AGENCY_ROLES = frozenset({Role.AGENCY_ADMIN, Role.AGENCY_MEMBER})


class Scope(StrEnum):
    """What an API token may do."""

    READ = "read"
    DOWNLOAD = "download"
    ACT = "act"


SCOPE_NAMES: dict[Scope, tuple[str, str]] = {
    Scope.READ: ("查看", "read"),
    Scope.DOWNLOAD: ("下载", "download"),
    Scope.ACT: ("办理", "act"),
}


class AccountState(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    DISABLED = "disabled"


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return all that a role may do (AU-01: an auditor reads, and nothing else)."""
    return frozenset({Scope.READ}) if role is Role.AUDITOR else frozenset(Scope)


@dataclass(frozen=True)
class Identity:
    """Who asks: an account that was signed in, or a token of one.

    ``agency_id`` is empty for accounts of the bureau. ``token_id`` is empty in a browser session,
    which may do all that the role may.
    """

    account_id: str
    name: str
    role: Role
    agency_id: str = ""
    agency_name: str = ""
    token_id: str = ""
    scopes: frozenset[Scope] = field(default_factory=lambda: frozenset(Scope))

    @property
    def person(self) -> Person:
        """Return who acts, as events name them."""
        return Person(self.name, id=self.account_id, unit=self.agency_name)


@dataclass(frozen=True)
class Account:
    """One account as it is on record; no secret is part of it.

    ``subject`` is the identifier that a sign-in service (OIDC) has for the person, ``person_id``
    the person's number in their own unit.
    """

    account_id: str
    login: str
    name: str
    role: Role
    agency_id: str = ""
    email: str = ""
    subject: str = ""
    person_id: str = ""
    state: AccountState = AccountState.ACTIVE

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        return asdict(self) | {"role": self.role.value, "state": self.state.value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Account:
        """Rebuild from ``as_json``."""
        known = {each.name: value[each.name] for each in fields(cls)}
        known |= {"role": Role(value["role"]), "state": AccountState(value["state"])}
        return cls(**known)

    @property
    def active(self) -> bool:
        """Whether it may be used."""
        return self.state is AccountState.ACTIVE


_LONGEST_TYPED = 200
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,63}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>\"',;:]{1,64}@[a-z0-9.-]{1,190}")
_REMEDY = "correct it and try again"


def normal_login(untrusted: str) -> str:
    """Return a login as it is compared: without spaces around, small letters, one spelling.

    What is longer than any login is cut first: to normalise costs the square of the length.
    """
    return normal_form("NFKC", untrusted.strip()[:_LONGEST_TYPED]).casefold()


def account_id(login: str) -> str:
    """Return the identifier of the account of a login; it is never given to another person."""
    return f"U-{hashlib.sha256(normal_login(login).encode()).hexdigest()[:12]}"


def new_account(
    login: str,
    name: str,
    role: Role,
    *,
    agency_id: str = "",
    email: str = "",
    subject: str = "",
    person_id: str = "",
) -> Account:
    """Return a new account.

    Raises:
        InputError: login, name, e-mail, or role and agency cannot be so.
    """
    normal = normal_login(login)
    if not _LOGIN.fullmatch(normal):
        raise InputError(
            "登录名须为3至64个字母、数字或 . _ @ + - 之一，以字母或数字开头 "
            "a login has 3 to 64 letters, digits, or . _ @ + -, and begins with a letter or digit",
            remedy=_REMEDY,
        )
    return checked(
        Account(account_id(normal), normal, name, role, agency_id, email, subject, person_id)
    )


def checked(account: Account) -> Account:
    """Return an account as it may stand on record: e-mail in small letters, no spaces around.

    Raises:
        InputError: it may not.
    """
    account = replace(
        account,
        name=account.name.strip(),
        email=account.email.strip().casefold(),
        subject=account.subject.strip(),
        person_id=account.person_id.strip(),
    )
    for text, most in ((account.name, 80), (account.subject, 255), (account.person_id, 80)):
        if len(text) > most or any(unicodedata.category(each)[0] == "C" for each in text):
            raise InputError(
                f"姓名、主体标识或工号过长或含控制字符 a text is longer than {most} characters "
                "or holds control characters",
                remedy=_REMEDY,
            )
    if not account.name:
        raise InputError("缺少姓名 the name is missing", remedy="give --name")
    if account.email and not _EMAIL.fullmatch(account.email):
        raise InputError("电子邮箱格式不对 this is no e-mail address", remedy=_REMEDY)
    if (account.role in AGENCY_ROLES) != bool(account.agency_id):
        zh, en = ROLE_NAMES[account.role]
        needs = "须属于" if account.role in AGENCY_ROLES else "不属于"
        verb = "belongs to" if account.role in AGENCY_ROLES else "does not belong to"
        raise InputError(f"{zh}{needs}鉴定机构 an {en} {verb} an agency", remedy="see --agency")
    return account


def _same_person(one: Account, other: Account) -> bool:
    for mine, theirs in ((one.email, other.email), (one.subject, other.subject)):
        if mine and mine == theirs:
            return True
    if one.person_id and other.person_id:
        return one.person_id == other.person_id
    return one.name == other.name


def require_apart(account: Account, others: Iterable[Account], operator: Person) -> None:
    """Refuse an auditor who is an officer or the operator too, and the reverse (AU-01).

    The same person is whoever has the same e-mail address, sign-in subject or number; without
    numbers on both sides, the same name counts.

    Args:
        account: the account that is to be made or changed.
        others: every account on record.
        operator: who runs this installation, as receipts name them.

    Raises:
        ConflictError: one person would hold both.
    """
    if account.role in AGENCY_ROLES or not account.active:
        return
    held = [
        each.login
        for each in others
        if each.active
        and each.role not in AGENCY_ROLES
        and each.account_id != account.account_id
        and (each.role is Role.AUDITOR) != (account.role is Role.AUDITOR)
        and _same_person(account, each)
    ]
    runs = Account("", "", operator.name, Role.OFFICER, person_id=operator.id)
    if account.role is Role.AUDITOR and _same_person(account, runs):
        held.append(operator.name)
    if held:
        raise ConflictError(
            f"审计员不得同时办案或操作（{'、'.join(held)}） "
            "nobody is auditor and officer or operator at once",
            remedy="请先停用另一账户，或给两者各自的 --person-id "
            "disable the other account first, or give both their --person-id",
        )
