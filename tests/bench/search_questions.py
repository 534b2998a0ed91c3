"""Questions that people ask of pages, and the worst that they could: for the bench of search."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from storage.catalogue.asking import Filters
from tests.bench import search_pages as made


@dataclass(frozen=True)
class Question:
    """One question, and what kind it is of."""

    kind: str
    query: str
    case: str = ""
    filters: Filters = field(default_factory=Filters)


def questions(count: int, seed: int) -> list[Question]:
    """Return so many questions in a mixed order, as many of each kind."""
    chosen = random.Random(seed)
    source = _Source(chosen, made.language()).all()
    asked = [next(source) for _ in range(count)]
    chosen.shuffle(asked)
    return asked


class _Source:
    """Words, names and phrases by chance, and questions made of them."""

    def __init__(self, chosen: random.Random, spoken: made.Language) -> None:
        self._chosen, self._spoken = chosen, spoken
        self._long = [word for word in spoken.words if len(word) > 1]
        self._two = [word for word in self._long if len(word) == 2]

    def _one(self, some: list[str]) -> str:
        """Return one, as likely among the frequent as the rare: by the logarithm of its rank."""
        return some[int(float(len(some)) ** self._chosen.random()) - 1]

    def _word(self) -> str:
        return self._one(self._long)

    def _name(self) -> str:
        return self._one(self._spoken.names)

    def _case(self) -> str:
        return made.case_of(self._chosen.choice((0, self._chosen.randrange(made.CASES))))

    def _some(self, letters: str, count: int) -> str:
        return "".join(self._chosen.sample(letters, count))

    def _text(self) -> str:
        return self._spoken.page(self._chosen, 60).replace('"', "")

    def _phrase(self) -> str:
        text = self._text().replace("\n", "")
        at = self._chosen.randrange(len(text) - 12)
        return text[at : at + self._chosen.randrange(4, 9)].strip(" ，。") or "客户"

    def _of_month(self) -> Filters:
        day = made.FIRST_DAY.replace(month=self._chosen.randrange(2, 9)).isoformat()
        kind = self._chosen.choice(made.KINDS)
        return Filters(since=day, until=f"{day[:-2]}28", kind=kind)

    def all(self) -> Iterator[Question]:
        """Yield one of each kind, without end."""
        while True:
            yield from self._usual()
            yield from self._filtered()
            yield from self._worst()

    def _usual(self) -> Iterator[Question]:
        pick = self._chosen.choice
        yield Question("name", self._name())
        yield Question("word", self._word())
        yield Question("two characters", self._one(self._two))
        letters = made.COMMON[:150] + "".join(self._long[-300:])
        yield Question("one character", pick(letters))
        yield Question("phrase", f'"{self._phrase()}"')
        yield Question("AND", f"{self._name()} AND {self._word()}")
        yield Question("OR", f"{self._word()} OR {self._word()} OR {self._name()}")
        yield Question("NOT", f"{self._word()} NOT {pick(made.COMMON[5:100])}")
        yield Question("English stem", pick(("customers", "listed", "drawings", "pricing")))
        yield Question("nothing", f"{self._name()}{self._name()}")

    def _filtered(self) -> Iterator[Question]:
        yield Question("name, a case", self._name(), self._case())
        yield Question("word, a case", self._word(), self._case())
        unit = self._chosen.choice(made.UNITS)
        yield Question("of a unit", self._word(), "", Filters(unit=unit))
        yield Question("of a month and kind", self._word(), "", self._of_month())

    def _worst(self) -> Iterator[Question]:
        """Yield what stands on most pages, alone or together, but hardly ever side by side."""
        frequent = made.COMMON[:40]
        yield Question("AND of frequent", " ".join(self._some(frequent, 3)))
        yield Question("frequent pair", self._some(frequent, 2))
        yield Question("frequent pairs", " ".join(self._some(frequent, 2) for _ in range(3)))
        yield Question("phrase of frequent", f'"{self._some(frequent, 3)}"')
        yield Question("frequent, a case", self._some(frequent, 3), self._case())
