"""How a page is made: one environment of templates, two languages, nothing from outside trusted.

Templates escape everything; a value that a template does not get is an error and never an empty
place; characters that hide or turn text are shown as escapes.
"""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from appraisal.accounts import ROLE_NAMES, Identity, Role
from portal.web import words
from portal.web.cross_site import csrf_token
from portal.web.pages.assets import address
from portal.web.words import Language
from storage.names import escape, hides

TEMPLATES = Path(__file__).parent.parent / "templates"
LANGUAGE = "custody_language"
"""The cookie that keeps which language somebody chose."""


def language_of(request: Request) -> Language:
    """Return the language that was chosen; until somebody does, the installation's."""
    chosen = request.cookies.get(LANGUAGE) or request.app.state.custody.settings.language
    return Language.EN if chosen == Language.EN.value else Language.ZH


def page(
    request: Request,
    template: str,
    identity: Identity | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    """Return a page as a response.

    Args:
        request: what is answered; language and form token come from it.
        template: name of the template.
        identity: who is signed in, if somebody is.
        status: HTTP status.
        values: what the template shows.
    """
    language = language_of(request)
    text = (
        environment()
        .get_template(template)
        .render(**_words(language), **_context(request, identity, language), **values)
    )
    headers = {
        "Content-Language": language.value,
        "Cache-Control": "no-store",
        "Vary": "Cookie, HX-Request",
    }
    return HTMLResponse(text, status, headers)


@cache
def environment() -> Environment:
    """Return the templates' environment."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.globals |= {"asset": address, "Role": Role}
    made.filters |= {"size": words.said_size, "grouped": words.grouped}
    made.filters["first_upper"] = lambda text: text[:1].upper() + text[1:]
    made.filters["counted"] = words.counted
    return made


def _shown(value: Any) -> Any:
    """Return what is printed: text in which nothing hides or turns other text."""
    if isinstance(value, Markup) or not isinstance(value, str) or value.isascii():
        return value
    return _said_before(value) if len(value) <= _SHORT else _visible(value)


def _visible(text: str) -> str:
    return "".join(escape(each) if hides(each) and each not in "\n\t" else each for each in text)


_SHORT = 100
"""Words of a page and names are remembered as they are shown: a page says many of them often."""
_said_before = lru_cache(4096)(_visible)


def _words(language: Language) -> dict[str, Any]:
    def said(pair: words.Pair) -> str:
        return language.say(*pair)

    return {
        "t": language.say,
        "said": said,
        "day": lambda day: said(words.said_day(_day(day))),
        "left": lambda days, unit: said(words.said_left(days, unit)),
        "role_names": ROLE_NAMES,
        "scope_names": words.SCOPE_NAMES,
        "type_names": words.TYPE_PAIRS,
        "disposal_names": words.DISPOSAL_PAIRS,
        "side_names": words.SIDE_PAIRS,
        "evidence_names": words.EVIDENCE_PAIRS,
        "matter_names": words.MATTER_PAIRS,
    }


def _context(request: Request, identity: Identity | None, language: Language) -> dict[str, Any]:
    zone = request.app.state.custody.settings.timezone
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return {
        "lang": language,
        "zone": words.said_zone(zone),
        "identity": identity,
        "here": request.url.path,
        "links": lambda who: words.LINKS[who.role],
        "token": lambda: _hidden(csrf_token(request)),
        "back": back if request.method == "GET" else "/",
        "moment": lambda moment: language.say(*words.said_moment(moment, zone)),
    }


def _hidden(token: str) -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(token)


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
