"""Accounts, passwords, secrets and lock-out: the rules, without a house."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal import accounts, credentials, lockout, passwords
from appraisal.accounts import Account, AccountState, Role, Scope, new_account, require_apart
from storage.errors import ConflictError, InputError
from storage.nouns import Person

OPERATOR = Person("值班接收员", id="INTAKE")
RANDOM = st.binary(min_size=32, max_size=32)


@given(RANDOM)
def test_a_secret_is_spelled_so_that_it_can_stand_anywhere(random: bytes) -> None:
    secret = credentials.spell(random)
    assert credentials.is_secret(secret)
    assert credentials.is_token(credentials.spell_token(random))
    assert not credentials.is_token(secret)


@given(st.text(max_size=60))
def test_what_is_no_secret_is_not_looked_up(text: str) -> None:
    assert not credentials.is_secret(text) or len(text) == 43
    assert len(credentials.kept(text)) == 64


@given(RANDOM, RANDOM)
def test_a_form_token_belongs_to_one_session_and_does_not_show_it(one: bytes, two: bytes) -> None:
    first, second = credentials.spell(one), credentials.spell(two)
    assert (credentials.csrf_of(first) == credentials.csrf_of(second)) == (one == two)
    assert first not in credentials.csrf_of(first)


@given(st.text(st.characters(codec="ascii") | st.characters(categories=["L", "N"]), max_size=64))
def test_a_login_has_one_spelling(text: str) -> None:
    try:
        made = new_account(text, "张三", Role.OFFICER)
    except InputError:
        return
    assert made.login.isascii()
    again = new_account(f" {made.login.upper()} ", "张三", Role.OFFICER)
    assert (again.login, again.account_id) == (made.login, made.account_id)


@pytest.mark.parametrize("login", ["", "ab", "-abc", "a b c", "张三", "a" * 65, "ab\nc", "x<y>z"])
def test_a_login_that_could_be_misread_is_refused(login: str) -> None:
    with pytest.raises(InputError):
        new_account(login, "张三", Role.OFFICER)


@pytest.mark.parametrize(
    ("role", "agency"),
    [(Role.AGENCY_ADMIN, ""), (Role.AGENCY_MEMBER, ""), (Role.OFFICER, "SJ"), (Role.AUDITOR, "SJ")],
)
def test_role_and_agency_fit(role: Role, agency: str) -> None:
    with pytest.raises(InputError):
        new_account("zhang", "张三", role, agency_id=agency)


@pytest.mark.parametrize("name", ["", " ", "张\u202e三", "张\n三", "x" * 81])
def test_a_name_that_would_show_as_another_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        new_account("zhang", name, Role.OFFICER)


def test_an_account_survives_its_event() -> None:
    made = new_account("Zhang.San", "张三", Role.AGENCY_ADMIN, agency_id="SJ", email="Z@x.example")
    assert (made.login, made.email) == ("zhang.san", "z@x.example")
    assert Account.from_json(made.as_json()) == made


def test_au_01_an_auditor_only_reads() -> None:
    """AU-01: the auditor is read-only, whatever asks."""
    assert accounts.scopes_of(Role.AUDITOR) == {Scope.READ}
    assert all(accounts.scopes_of(role) == set(Scope) for role in Role if role is not Role.AUDITOR)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"name": "王五"}, {"name": "王五"}, True),
        ({"name": "王五"}, {"name": "赵六"}, False),
        ({"name": "王五", "person_id": "1"}, {"name": "王五", "person_id": "2"}, False),
        ({"name": "王五", "person_id": "1"}, {"name": "王武", "person_id": "1"}, True),
        ({"name": "王五", "email": "w@x.example"}, {"name": "王", "email": "w@x.example"}, True),
        ({"name": "王五", "subject": "s"}, {"name": "王", "subject": "s"}, True),
    ],
)
def test_au_01_nobody_is_auditor_and_officer(
    one: dict[str, str], other: dict[str, str], same: bool
) -> None:
    """AU-01: the role of the auditor is not held together with another of the bureau."""
    auditor = new_account("auditor", one.pop("name"), Role.AUDITOR, **one)
    officer = new_account("officer", other.pop("name"), Role.OFFICER, **other)
    for account, others in ((auditor, [officer]), (officer, [auditor])):
        if same:
            with pytest.raises(ConflictError):
                require_apart(account, others, OPERATOR)
        else:
            require_apart(account, others, OPERATOR)


def test_au_01_the_operator_is_no_auditor() -> None:
    """AU-01: nor is whoever runs the installation, by name or by number."""
    for account in (
        new_account("auditor", OPERATOR.name, Role.AUDITOR),
        new_account("auditor", "别名", Role.AUDITOR, person_id="INTAKE"),
    ):
        with pytest.raises(ConflictError):
            require_apart(account, [], OPERATOR)


def test_au_01_a_disabled_account_holds_no_role() -> None:
    """AU-01: whoever was an officer may become an auditor once that account is disabled."""
    officer = new_account("officer", "王五", Role.OFFICER)
    gone = Account.from_json(officer.as_json() | {"state": AccountState.DISABLED.value})
    require_apart(new_account("auditor", "王五", Role.AUDITOR), [gone], OPERATOR)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 257,
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "1234567890123",
        "zhang.sanzhang.san",
        "password12345",
        "qwertyqwerty123",
        "１２３４５６７８９０１２３",
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(InputError):
        passwords.require_good(password, "zhang.san")


@pytest.mark.parametrize(
    "password", ["正确的马电池订书钉还有月亮船", "correct horse battery", "kD8#vw2!pQz7"]
)
def test_a_good_password_is_taken(password: str) -> None:
    passwords.require_good(password, "zhang.san")


def test_hashes_are_argon2id_with_the_parameters_stated() -> None:
    stored = passwords.hashed("correct horse battery", bytes(16))
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.matches(stored, "correct horse battery")
    assert passwords.matches(passwords.hashed("ﬁne password", bytes(16)), "fine password")
    assert not passwords.matches(stored, "correct horse batterY")
    assert not passwords.matches(passwords.DUMMY, "correct horse battery")
    assert not passwords.outdated(stored)
    assert not passwords.outdated(passwords.DUMMY)
    assert passwords.outdated(stored.replace("t=3", "t=2"))


class Attacker:
    """Somebody who tries at a counter as often as it lets them."""

    def __init__(self, kind: str) -> None:
        self.limit, self.counter = lockout.LIMITS[kind], lockout.Counter()

    def try_until(self, start: int, end: int) -> int:
        tried, now = 0, start
        while now < end:
            now = max(now, self.counter.until)
            self.counter = lockout.failed(self.counter, self.limit, now)
            tried += 1
        return tried


def test_guessing_at_a_login_goes_on_at_a_hundred_a_day() -> None:
    assert Attacker("login").try_until(0, 86_400) < 110


@pytest.mark.parametrize("kind", sorted(lockout.LIMITS))
@given(st.lists(st.integers(0, 100_000), max_size=60))
def test_waits_grow_and_stay_within_their_limit(kind: str, gaps: list[int]) -> None:
    limit, counter, now = lockout.LIMITS[kind], lockout.Counter(), 0
    for gap in gaps:
        now += gap
        after = lockout.failed(counter, limit, now)
        wait = lockout.wait_of(after, now)
        assert wait <= max(limit.longest, lockout.wait_of(counter, now))
        assert wait == 0 or after.failures >= limit.free or counter.until > now
        if after.failures > limit.free and now - counter.last < lockout.FORGET_SECONDS:
            assert wait >= min(limit.longest, 2 * limit.first)
        counter = after


def test_what_was_no_failure_is_taken_back() -> None:
    counter = lockout.failed(lockout.Counter(19, 0, 0), lockout.LIMITS["address"], 5)
    assert lockout.wait_of(counter, 5) > 0
    assert lockout.wait_of(lockout.forgiven(counter), 5) == 0
    assert lockout.forgiven(counter).failures == 19


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_who_has_a_network_of_ipv6_is_one_address(address: str, counted: str) -> None:
    assert lockout.network(address) == counted
