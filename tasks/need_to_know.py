"""The need-to-know list of a case: who of the bureau it is shown to, each change on record.

A case that one of its bundles marks as a trade secret (密级：商业秘密) is shown on the bureau's
pages to the accounts on its list alone; everybody else is answered as if it were not there, and
the refusal is recorded. An agency sees what was sent to it, whatever the list says.
(RULES: ST-06, CU-05; APL 50, TS-JI 21, CPL 54.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appraisal.accounts import AGENCY_ROLES, Account
from storage.catalogue import commissions, handovers, need_to_know, queries
from storage.custody import Custody
from storage.errors import ConflictError, InputError
from storage.event import Action
from storage.nouns import NEED_TO_KNOW_MARK, Person
from tasks.accounts import Accounts

_LONGEST_REASON = 400


@dataclass(frozen=True)
class NeedToKnow:
    """A case's list; ``marked`` says whether it keeps anybody out."""

    case_id: str
    case_no: str
    secrecy: str
    readers: tuple[dict[str, Any], ...]

    @property
    def marked(self) -> bool:
        """Whether the case is shown to the accounts on its list alone."""
        return self.secrecy == NEED_TO_KNOW_MARK

    def as_json(self) -> dict[str, Any]:
        """Return the list as the command prints it."""
        return {
            "case_id": self.case_id,
            "case_no": self.case_no,
            "secrecy": self.secrecy,
            "marked": self.marked,
            "readers": list(self.readers),
        }


def need_to_know_list(custody: Custody, case: str) -> NeedToKnow:
    """Return a case's list, in the order in which accounts came on it.

    Raises:
        NotFoundError: there is no such case.
    """
    with custody.read() as session:
        found = queries.find_case(session, case)
        readers = need_to_know.listed(session, found["case_id"])
    return NeedToKnow(found["case_id"], found["case_no"], found["secrecy"], tuple(readers))


def put_on_list(custody: Custody, case: str, login: str, *, reason: str, by: Person) -> bool:
    """Put an account of the bureau on a case's list; return False if it is on it already.

    Raises:
        NotFoundError: there is no such case or account.
        InputError: no reason was given, or the account is an agency's.
        ConflictError: the list was changed at the same moment.
    """
    account = Accounts(custody).find(login)
    if account.role in AGENCY_ROLES:
        raise InputError(
            f"{account.login}是鉴定机构的账户 {account.login} is an account of an agency",
            remedy="机构只看到发给它的材料 an agency sees what was sent to it, and no list",
        )
    if not account.active:
        raise InputError(
            f"账户{account.login}已停用 the account {account.login} is disabled",
            remedy="custody account enable",
        )
    return _change(custody, case, account, "granted", reason, by)


def take_off_list(custody: Custody, case: str, login: str, *, reason: str, by: Person) -> bool:
    """Take an account off a case's list; return False if it is not on it.

    Raises:
        NotFoundError: there is no such case or account.
        InputError: no reason was given.
        ConflictError: the list was changed at the same moment.
    """
    return _change(custody, case, Accounts(custody).find(login), "withdrawn", reason, by)


def may_see_commission(custody: Custody, number: str, account_id: str) -> bool:
    """Whether an account of the bureau may be shown a commission: by the list of its case."""
    with custody.read() as session:
        found = commissions.find(session, number)
        return found is None or need_to_know.may_see(session, found["case_id"], account_id)


def _change(
    custody: Custody, case: str, account: Account, kind: str, reason: str, by: Person
) -> bool:
    reason = reason.strip()
    if not reason or len(reason) > _LONGEST_REASON:
        raise InputError(
            f"须说明理由，至多{_LONGEST_REASON}字 a reason is needed, of at most "
            f"{_LONGEST_REASON} characters",
            remedy="用 --because 说明 give it with --because",
        )
    listed = need_to_know_list(custody, case)
    if _holds(listed, account) == (kind == "granted"):
        return False
    details = {"kind": kind, "account_id": account.account_id, "login": account.login}
    # Named by the list's last change: of two who do the same at once one is recorded.
    with custody.read() as session:
        changes = handovers.action_indexes(session, listed.case_id, [Action.NEED_TO_KNOW])
    event = custody.event(
        Action.NEED_TO_KNOW,
        [listed.case_id, account.account_id, kind, str(max(changes, default=-1))],
        actor=by,
        case=listed.case_id,
        purpose="need to know",
        details={**details, "reason": reason},
    )
    custody.record([event])
    if _holds(need_to_know_list(custody, case), account) != (kind == "granted"):
        raise ConflictError(
            f"{listed.case_no}的知悉范围刚被改动 the list of {listed.case_no} was changed just now",
            remedy="请重新查看 look at it again",
        )
    return True


def _holds(listed: NeedToKnow, account: Account) -> bool:
    return any(each["account_id"] == account.account_id for each in listed.readers)
