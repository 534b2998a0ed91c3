"""Accounts of the queue: who may come in, and what each role may do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from storage.nouns import Person


class Role(StrEnum):
    """What an account is for; the first two belong to an agency, the others to the bureau."""

    AGENCY_ADMIN = "agency_admin"
    AGENCY_MEMBER = "agency_member"
    OFFICER = "officer"
    AUDITOR = "auditor"


class Scope(StrEnum):
    """What an API token may do."""

    READ = "read"
    DOWNLOAD = "download"
    ACT = "act"


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
