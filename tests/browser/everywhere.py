"""Every page, by a short name: who opens it, and where it is."""

from __future__ import annotations

from dataclasses import dataclass

from tests.browser.seen import Site
from tests.browser.world import (
    BACK,
    CLOSED,
    DECLINED,
    LATE,
    PAUSED,
    RECEIVED,
    RUNNING,
    SUPPLIED,
    WAITING,
)


@dataclass(frozen=True)
class Place:
    """One page: its name, who opens it (nobody: not signed in), its path or its commission."""

    name: str
    who: str
    path: str
    index: int = 0

    def address(self, site: Site) -> str:
        """Return where it is."""
        return site.commission(self.index, self.path) if self.index else site.address + self.path


NOBODY, AGENCY, OFFICER = "", "zhoujing", "liming"
PLACES = (
    Place("sign-in", NOBODY, "/sign-in"),
    Place("set-password", NOBODY, f"/welcome/{'A' * 43}"),
    Place("queue", AGENCY, "/queue"),
    Place("queue-nothing", AGENCY, "/queue?q=%E6%B2%A1%E6%9C%89"),
    Place("waiting", AGENCY, "/commission", WAITING),
    Place("received", AGENCY, "/commission", RECEIVED),
    Place("running", AGENCY, "/commission", RUNNING),
    Place("paused", AGENCY, "/commission", PAUSED),
    Place("supplied", AGENCY, "/commission", SUPPLIED),
    Place("late", AGENCY, "/commission", LATE),
    Place("opinion-back", AGENCY, "/commission", BACK),
    Place("closed", AGENCY, "/commission", CLOSED),
    Place("declined", AGENCY, "/commission", DECLINED),
    Place("opinion-form", AGENCY, "/commission/opinion", RUNNING),
    Place("members", AGENCY, "/members"),
    Place("notices", AGENCY, "/notices"),
    Place("tokens", AGENCY, "/tokens"),
    Place("no-such-page", AGENCY, "/nothing"),
    Place("officer-list", OFFICER, "/officer/commissions"),
    Place("officer-one", OFFICER, "/officer/commission", BACK),
    Place("officer-figures", OFFICER, "/officer/figures"),
)
