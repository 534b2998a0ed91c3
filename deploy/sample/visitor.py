"""A visitor of the queue's pages, as a browser without scripts: follows links, sends forms.

Nothing is known to it but what stands on the page: the addresses of links and forms, and the
hidden fields that a form carries. So the demonstration shows what a person's browser does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Self

import httpx

from storage.errors import HostError


@dataclass
class Form:
    """A form of a page: where it goes, and the fields that it carries as they stand."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    """Collects the forms, links and headings of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.alerts: list[str] = []
        self._form: Form | None = None
        self._alert = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag opens."""
        found = {name: value or "" for name, value in attrs}
        if self._alert or found.get("role") == "alert":
            self._alert += tag not in _VOID
        if tag == "form":
            self._form = Form(found.get("action", ""))
            self.forms.append(self._form)
        elif tag == "input" and self._form is not None and found.get("type") == "hidden":
            self._form.fields[found["name"]] = found.get("value", "")
        elif tag == "a" and "href" in found:
            self.links.append(found["href"])

    def handle_endtag(self, tag: str) -> None:
        """Note what a tag closes."""
        self._alert -= bool(self._alert)
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        """Keep the words of alerts."""
        if self._alert and data.strip():
            self.alerts.append(data.strip())


_VOID = frozenset({"input", "br", "img", "hr", "link", "meta", "wbr"})


class Visitor:
    """One person's browser at one address; a context manager."""

    def __init__(self, address: str) -> None:
        """Open a browser that has been nowhere."""
        self._client = httpx.Client(base_url=address, follow_redirects=True, timeout=60)
        self._address = address
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def go(self, path: str) -> None:
        """Open a page.

        Raises:
            HostError: the page tells a problem.
        """
        self._shown(self._client.get(path))

    def links(self, beginning: str) -> list[str]:
        """Return the links of the page that begin so."""
        return [each for each in _Page(self.text).links if each.startswith(beginning)]

    def send(
        self,
        action: str,
        fields: Mapping[str, Any] | None = None,
        files: Mapping[str, Path] | None = None,
    ) -> None:
        """Fill in a form of the page and send it.

        Args:
            action: where the form goes, as it stands on the page.
            fields: what a person enters, by the fields' names.
            files: what a person chooses.

        Raises:
            HostError: there is no such form, or the answer tells a problem.
        """
        form = next((each for each in _Page(self.text).forms if each.action == action), None)
        if form is None:
            raise HostError(f"the page has no form {action}", remedy="look at the page")
        entered: dict[str, Any] = {**form.fields, **(fields or {})}
        headers = {"Origin": self._address, "Sec-Fetch-Site": "same-origin"}
        chosen = {
            name: (path.name, path.read_bytes(), "application/pdf")
            for name, path in (files or {}).items()
        }
        self._shown(self._client.post(action, data=entered, files=chosen or None, headers=headers))

    def fetch(self, path: str, target: Path) -> str:
        """Download a file and return the SHA-256 of what came."""
        made = hashlib.sha256()
        with self._client.stream("GET", path) as answer, target.open("wb") as out:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                made.update(piece)
                out.write(piece)
        return made.hexdigest()

    def _shown(self, answer: httpx.Response) -> None:
        self.text = answer.text
        if answer.status_code >= 400:
            told = " ".join(_Page(self.text).alerts) or answer.reason_phrase
            raise HostError(f"{answer.request.url.path}: {answer.status_code} {told}")


def lines(values: Iterable[str]) -> str:
    """Return a list as a person types it into a large field."""
    return "\n".join(values)
