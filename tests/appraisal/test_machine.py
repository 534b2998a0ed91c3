"""AP-14: a commission driven at random, against a model that knows only the edges by hand.

Steps come in any order, allowed or not, with data that is right or wrong. Whatever happens, the
commission is sound, its history folds to the same value, and what was refused changed nothing.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appraisal import acts
from appraisal.commission import Commission, NoticeKind, State
from appraisal.happened import Fate
from appraisal.rules import Limit, Unit
from appraisal.step import Kind, Transition
from appraisal.told import tell_step
from appraisal.transitions import allowed, apply, event_details, fold, unfold
from storage.digest import fingerprint_bytes
from storage.errors import InputError, IntegrityError, StateError
from storage.event import Action, CustodyEvent, decode, encode
from storage.nouns import Person
from tests.appraisal import made
from tests.appraisal.edges import EDGES, ENDED, OPEN, edge, sound

PEOPLE = ("陈工", "何工", "丙工", "丁工")
LINES = [f"E{number:04d}" for number in (1, 2, 3, 4)]
exhibits = st.lists(st.sampled_from(LINES), min_size=1, max_size=3, unique=True)
people = st.sampled_from(PEOPLE)
words = st.sampled_from(["原因", "另有说明", "见附件", ""])
later = st.sampled_from([["E0003"], ["E0004"], ["E0003", "E0004"], ["E0001"]])
rarely = st.integers(0, 5).map(lambda drawn: drawn == 5)
"""Steps that end a commission would otherwise end nearly all of them early."""
Make = Callable[[Person, str], Transition]


class CommissionMachine(RuleBasedStateMachine):
    """A commission, and what the model knows of it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.fromisoformat(made.SENT)
        self.history: list[Transition] = []
        self.state, self.sent, self.received = State.DRAFTED, False, False
        self.decided, self.started = False, False
        self.asked: list[str] = []
        self.of_the_brief = True
        self.withdrawn: set[str] = set()
        self.excused: set[str] = set()
        self.agreed: set[str] = set()
        self.gone: set[str] = set()
        self.out: set[str] = {"E0001", "E0002"}
        self.supplied: set[str] = set()
        self.signed: set[str] = set()

    @initialize(depth=st.integers(0, 6))
    def draft(self, depth: int) -> None:
        brief = made.brief(recusal=["丙工"])
        (step,) = acts.draft(brief, [made.material(1), made.material(2)], made.OFFICER, made.SENT)
        self.history = [step]
        self.commission = fold(self.history)
        far: list[Callable[[], None]] = [
            self.dispatch,
            lambda: self.accept(made.PACKAGE.sha256),
            lambda: self.start(["陈工", "何工"]),
            lambda: self.return_opinion("陈工", good=True),
            lambda: self.check(confirm=False),
            lambda: self.close(""),
        ]
        for go in far[:depth]:
            go()

    def take(self, make: Make, *, legal: bool = True, by: Person = made.CLERK) -> bool:
        """Take a step if the model says that it is possible; return whether it was taken."""
        self.now += timedelta(hours=1)
        step = make(by, self.now.isoformat())
        target = edge(
            self.state,
            step.kind,
            sent=self.sent,
            received=self.received,
            decided=self.decided,
            started=self.started,
        )
        before = self.commission
        assert allowed(before, step.kind) == (target is not None)
        if target is None or not legal:
            with pytest.raises((InputError, StateError, IntegrityError)) as caught:
                apply(before, step)
            assert caught.value.remedy
            assert any("\u4e00" <= each <= "\u9fff" for each in str(caught.value))
            return False
        after = apply(before, step)
        assert after.state is target
        self.commission, self.state = after, target
        self.history.append(step)
        if target is not before.state:
            assert unfold(self.history).repeated(step.kind, step.actor, step.data)
        return True

    @rule()
    def dispatch(self) -> None:
        if self.take(lambda who, at: acts.dispatch(made.PACKAGE, who, at), by=made.OFFICER):
            self.sent = True

    @rule(right=st.booleans())
    def receive(self, right: bool) -> None:
        digest = made.PACKAGE.sha256 if right else fingerprint_bytes(b"other").sha256
        if self.take(lambda who, at: acts.receive(digest, who, at), legal=right):
            self.received = True

    @rule(digest=st.sampled_from([made.PACKAGE.sha256, "", "f" * 64]))
    def accept(self, digest: str) -> None:
        received = self.state is State.RECEIVED
        legal = digest == made.PACKAGE.sha256 or (received and not digest)
        if self.take(lambda who, at: acts.accept(who, at, digest), legal=legal):
            self.decided = True

    @rule(reason=words, sure=rarely)
    def decline(self, reason: str, sure: bool) -> None:
        if sure and self.take(lambda who, at: acts.decline(reason, who, at), legal=bool(reason)):
            self.decided = True

    @rule(named=st.lists(people, max_size=3))
    def start(self, named: list[str]) -> None:
        barred = self.withdrawn | ({"丙工"} - self.excused)
        legal = not barred & set(named) and bool(named or not self.started)
        if self.take(lambda who, at: acts.start(who, at, named), legal=legal):
            self.started = True

    @rule(what=words)
    def request_supplement(self, what: str) -> None:
        if self.take(lambda who, at: acts.request_supplement(what, who, at), legal=bool(what)):
            self.supplied = set()

    @rule(chosen=later, packed=st.booleans())
    def supply(self, chosen: list[str], packed: bool) -> None:
        lines = [made.material(int(each[1:])) for each in chosen]
        package = made.PACKAGE if packed else None
        which = len(self.commission.supplements)
        legal = not set(chosen) & self.out
        if self.take(
            lambda who, at: acts.supply_supplement(lines, which, who, at, package)[0],
            legal=legal,
            by=made.OFFICER,
        ):
            self.supplied |= set(chosen)
            self.out |= set(chosen)

    @rule(note=words, digest=st.sampled_from([made.PACKAGE.sha256, ""]))
    def receive_supplement(self, note: str, digest: str) -> None:
        last = self.commission.supplements[-1] if self.commission.supplements else None
        packed = last is not None and last.package is not None
        legal = bool(self.supplied or note) and (bool(digest) or not packed)
        self.take(lambda who, at: acts.receive_supplement([], who, at, note, digest), legal=legal)

    @rule(note=words)
    def go_on_without(self, note: str) -> None:
        legal = bool(note) and not self.supplied
        self.take(lambda who, at: acts.go_on_without(note, who, at), legal=legal)

    @rule(told=st.sampled_from(["2026-02-02", "2026-03-19", "2026-04-01"]))
    def extend(self, told: str) -> None:
        data = {
            "limit": Limit(10, Unit.WORKING_DAY).as_json(),
            "approved_by": "所长",
            "notified": told,
            "old_due": "2026-03-19",
        }
        self.take(lambda who, at: Transition(Kind.EXTEND, at, who, data), legal=told < "2026-03-19")

    @rule(signer=people, good=st.booleans())
    def return_opinion(self, signer: str, good: bool) -> None:
        signers = [{"name": each, "licence_no": "1", "signed": True} for each in (signer, "戊工")]
        opinion = made.opinion(appraisers=signers)
        findings = [made.GOOD if good else made.BAD]
        if self.take(
            lambda who, at: acts.return_opinion(opinion, f"{made.CASE}/E0009", findings, who, at)
        ):
            self.signed = {signer, "戊工"}

    @rule(confirm=st.booleans())
    def check(self, confirm: bool) -> None:
        findings = [made.GOOD] if confirm else []
        self.take(lambda who, at: acts.check(who, at, findings), by=made.OFFICER)

    @rule(reason=words)
    def send_back(self, reason: str) -> None:
        self.take(
            lambda who, at: acts.send_back(reason, who, at), legal=bool(reason), by=made.OFFICER
        )

    @rule(reason=words)
    def close(self, reason: str) -> None:
        last = self.commission.opinion
        legal = last is None or bool(reason) or not last.failures
        legal = legal and not (self.signed & self.withdrawn)
        self.take(lambda who, at: acts.close(who, at, reason), legal=legal, by=made.OFFICER)

    @rule(document=words)
    def correct(self, document: str) -> None:
        self.take(lambda who, at: acts.correct("图号", who, at, document), legal=bool(document))

    @rule(reason=words, sure=rarely, end=st.sampled_from([acts.withdraw, acts.terminate]))
    def end(self, reason: str, sure: bool, end: Callable[..., Transition]) -> None:
        if sure:
            self.take(lambda who, at: end(reason, who, at), legal=bool(reason))

    @rule(kind=st.sampled_from(list(NoticeKind)), to=words)
    def notify(self, kind: NoticeKind, to: str) -> None:
        self.take(lambda who, at: acts.notify(kind, to, "告知书", who, at), legal=bool(to))

    @rule(name=people, reason=words)
    def ask_recusal(self, name: str, reason: str) -> None:
        if self.take(
            lambda who, at: acts.request_recusal(name, reason, who, at), legal=bool(reason)
        ):
            self.asked.append(name)
            self.of_the_brief = self.of_the_brief and name != "丙工"

    @rule(name=people, granted=st.booleans(), other=st.sampled_from(["", "戊工", "陈工"]))
    def decide_recusal(self, name: str, granted: bool, other: str) -> None:
        barred = self.withdrawn | ({"丙工"} - self.excused) | {name}
        asked = name in self.asked or (name == "丙工" and self.of_the_brief)
        legal = asked and other not in barred
        if self.take(
            lambda who, at: acts.decide_recusal(name, granted, "理由", who, at, other), legal=legal
        ):
            if name in self.asked:
                self.asked.remove(name)
            self.of_the_brief = self.of_the_brief and name != "丙工"
            (self.withdrawn if granted else self.excused).add(name)

    @rule(chosen=exhibits)
    def consent(self, chosen: list[str]) -> None:
        legal = set(chosen) <= self.out
        if self.take(lambda who, at: acts.consent(chosen, "同意书", who, at), legal=legal):
            self.agreed |= set(chosen)

    @rule(chosen=exhibits, fate=st.sampled_from(list(Fate)), note=words)
    def material(self, chosen: list[str], fate: Fate, note: str) -> None:
        legal = set(chosen) <= self.out - self.gone
        if fate is Fate.CONSUMED:
            legal = legal and set(chosen) <= self.agreed
        if fate is Fate.DAMAGED:
            legal = legal and bool(note)
        if (
            self.take(lambda who, at: acts.material(fate, chosen, who, at, note), legal=legal)
            and fate is not Fate.DAMAGED
        ):
            self.gone |= set(chosen)

    @precondition(lambda self: len(self.history) > 1)
    @rule()
    def a_step_of_yesterday_is_refused(self) -> None:
        at = (datetime.fromisoformat(self.commission.last_at) - timedelta(days=1)).isoformat()
        step = acts.withdraw("原因", made.OFFICER, at)
        with pytest.raises(StateError):
            apply(self.commission, step)

    @invariant()
    def is_sound(self) -> None:
        if not self.history:
            return
        sound(self.commission)
        assert self.commission.steps == len(self.history)
        assert (self.state in OPEN, self.state in ENDED) == (
            self.commission.is_open,
            bool(self.commission.ended_at),
        )

    def teardown(self) -> None:
        """At the end, every step goes through the log and folds to the same commission."""
        if not self.history:
            return
        commission: Commission | None = None
        leaves = []
        for step in self.history:
            commission = apply(commission, step)
            details = event_details(commission, step)
            event = CustodyEvent("x", Action.COMMISSION, step.at, step.at, step.actor)
            leaves.append(encode(CustodyEvent(**{**event.__dict__, "details": details})))
            zh, en = tell_step(step)
            assert zh
            assert en
            assert step.actor.name
        kept = [decode(leaf).details["transition"] for leaf in leaves]
        assert fold(map(Transition.from_json, kept)) == self.commission
        written = json.loads(json.dumps(self.commission.as_json()))
        assert Commission.from_json(written) == self.commission


TestCommissionMachine = CommissionMachine.TestCase
TestCommissionMachine.settings = settings(stateful_step_count=50, deadline=None)


def test_every_kind_of_step_has_an_edge() -> None:
    assert {kind for _, kind in EDGES} | {Kind.DECLINE, Kind.DRAFT} == set(Kind)
