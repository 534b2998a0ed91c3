"""The queue: an agency's commissions with clock, standing and next step, the most urgent first."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from portal.web import words
from portal.web.identity import SignedIn
from portal.web.pages.lines import address_of
from portal.web.pages.listing import Chosen, Listing, agency_listing
from portal.web.pages.render import page
from portal.web.pages.route import pages
from portal.web.pages.who import AgencyAtWork

router = pages()


@router.get("/")
def home(identity: SignedIn) -> Response:
    """Go to where somebody's work is."""
    return RedirectResponse(words.LINKS[identity.role][0][0], 303)


@router.get("/queue")
def queue(
    request: Request,
    desk: AgencyAtWork,
    identity: SignedIn,
    q: str = "",
    standing: str = "",
    after: str = "",
) -> Response:
    """Show the queue."""
    listing = agency_listing(desk, Chosen.of(q, standing, after))
    return page(request, "queue.html", identity, **shown(listing, "/queue"))


@router.get("/queue/rows")
def rows(
    request: Request,
    desk: AgencyAtWork,
    identity: SignedIn,
    q: str = "",
    standing: str = "",
    after: str = "",
    seen: str = "",
) -> Response:
    """Return the list alone; nothing if it is as the page shows it already."""
    values = shown(agency_listing(desk, Chosen.of(q, standing, after)), "/queue")
    if seen == values["version"]:
        return Response(status_code=204)
    return page(request, "rows.html", identity, **values)


def shown(listing: Listing, address: str, one: str = "/commission") -> dict[str, Any]:
    """Return what the templates of a list show.

    Args:
        listing: the list.
        address: where it is served.
        one: where one of its commissions is.
    """
    chosen, version = listing.chosen, version_of(listing)
    return {
        "today": listing.today.isoformat(),
        "lines": listing.lines,
        "total_open": listing.total_open,
        "start": chosen.address(address) if chosen.after else "",
        "following": chosen.address(address, after=listing.after) if listing.after else "",
        "refresh": chosen.address(f"{address}/rows", after=chosen.after, seen=version),
        "version": version,
        "chosen": chosen,
        "choices": listing.choices,
        "agencies": listing.agencies,
        "agency_names": dict(listing.agencies),
        "action": address,
        "one": lambda line: address_of(line.commission.commission_no, one),
    }


def version_of(listing: Listing) -> str:
    """Return a short name for what a list shows: another list, another day, another name."""
    said = [listing.today.isoformat(), str(listing.total_open), listing.after]
    said += [f"{each.commission.commission_no} {each.commission.steps}" for each in listing.lines]
    return hashlib.sha256("\n".join(said).encode("utf-8", "replace")).hexdigest()[:16]
