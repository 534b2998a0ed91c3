"""Mail and webhook to real servers on loopback: taken, refused, "later", cut, trickling."""

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from appraisal import webhook
from appraisal.chasing import Channel
from appraisal.notice_words import Text
from storage.errors import HostError, InputError
from storage.settings import Settings
from tasks import hooking, mailing
from tasks.delivery import Ending, Outcome
from tasks.posting import examine_channels, link_to
from tests.services.mail import (
    PASSWORD,
    USER,
    Hooked,
    Mailbox,
    mail_server,
    make_certificate,
    webhook_server,
)

KEY = hashlib.sha256(b"a notice").hexdigest()[:32]
MADE = "2026-11-30T08:00:00+08:00"
TO = "agency@example.cn"
SECRET = "0123456789abcdef0123456789abcdef"
WORDS = Text(
    "【期限提醒】鉴〔2026〕1号 鉴定期限 到期 due soon " + "鉴定 " * 20 + "完",
    "期限为 2026-12-04。\n.\n来自：证据保管中心\n",
)
NOTICE: dict[str, Any] = {
    "commission_no": "鉴〔2026〕1号",
    "case_no": "沪市监案〔2026〕0777号",
    "clock": "completion",
    "number": "",
    "title": ["完成", "completion"],
    "template": "before",
    "due": "2026-12-04",
    "provisional": False,
    "stated_on": "2026-11-30",
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Hooked]:
    with webhook_server() as server:
        yield server


def by_mail(port: int, **more: Any) -> Settings:
    given = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_from": "notices@bureau.example",
        "notice_seconds": 5.0,
    }
    return Settings(**given | more)


def by_hook(url: str, **more: Any) -> Settings:
    given = {"notice_webhook": url, "notice_webhook_secret": SecretStr(SECRET)}
    return Settings(**{"notice_seconds": 5.0} | given | more)


def send(chosen: Settings, to: str = TO) -> Outcome:
    return mailing.send_mail(chosen, mailing.build(KEY, chosen.smtp_from, to, WORDS, MADE))


def post(chosen: Settings, now: str = MADE) -> Outcome:
    return hooking.post(chosen, KEY, hooking.body_of(KEY, NOTICE, ""), now)


def test_a_mail_arrives_as_it_was_written(box: Mailbox) -> None:
    assert send(by_mail(box.port)).ending is Ending.SENT
    (mail,) = box.got
    assert mail["Subject"] == WORDS.subject
    assert mail.get_content().replace("\r\n", "\n") == WORDS.body
    assert (mail["From"], mail["To"]) == ("notices@bureau.example", TO)
    assert mail["Message-ID"] == f"<notice.{KEY}@bureau.example>"
    assert mail["Date"].datetime == datetime.fromisoformat(MADE)
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_same_notice_is_the_same_mail_byte_for_byte() -> None:
    one, two = (mailing.build(KEY, "a@b.example", TO, WORDS, MADE) for _ in range(2))
    assert one.as_bytes() == two.as_bytes()
    assert one.as_bytes().isascii()


def test_starttls_with_a_certificate_that_the_bureau_trusts_and_a_password(
    certificate: Path,
) -> None:
    with mail_server(certificate, sign_in=True) as box:
        known = {"smtp_security": "starttls", "smtp_user": USER, "notice_ca": str(certificate)}
        right = by_mail(box.port, **known, smtp_password=SecretStr(PASSWORD))
        assert send(right).ending is Ending.SENT
        wrong = send(by_mail(box.port, **known, smtp_password=SecretStr("guess")))
        assert wrong.ending is Ending.DOWN
        assert "sign-in refused: 535" in wrong.answer
        nobody = send(by_mail(box.port, **known | {"smtp_user": ""}))
        assert nobody.ending is Ending.DOWN, "a setting that is missing gives no notice up"
        assert "sender refused: 530" in nobody.answer
        assert len(box.got) == 1


def test_a_certificate_that_nobody_vouches_for_gets_no_mail_and_no_password(
    certificate: Path,
) -> None:
    with mail_server(certificate, sign_in=True) as box:
        chosen = by_mail(
            box.port,
            smtp_security="starttls",
            smtp_user=USER,
            smtp_password=SecretStr(PASSWORD),
        )
        ended = send(chosen)
        assert ended.ending is Ending.DOWN
        assert "CERTIFICATE_VERIFY_FAILED" in ended.answer
        assert box.got == []


def test_a_server_that_offers_no_tls_gets_nothing(box: Mailbox) -> None:
    assert send(by_mail(box.port, smtp_security="starttls")).ending is Ending.DOWN
    assert box.got == []


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        ("550 no such mailbox", Ending.NEVER),
        ("450 greylisted", Ending.LATER),
        ("452 mailbox full", Ending.LATER),
        ("421 shutting down", Ending.DOWN),
        ("530 authentication required", Ending.DOWN),
    ],
)
def test_what_a_server_says_about_a_recipient(box: Mailbox, answer: str, ending: Ending) -> None:
    box.refuse[TO] = answer
    ended = send(by_mail(box.port))
    assert ended == Outcome(ending, answer)
    assert send(by_mail(box.port), "other@example.cn").ending is Ending.SENT


@pytest.mark.parametrize(
    ("answer", "ending"), [("554 spam", Ending.NEVER), ("451 try later", Ending.LATER)]
)
def test_what_a_server_says_about_the_mail(box: Mailbox, answer: str, ending: Ending) -> None:
    box.at_data = answer
    assert send(by_mail(box.port)) == Outcome(ending, answer)


def test_a_connection_cut_after_the_mail_was_taken_is_tried_again_as_the_same_mail(
    box: Mailbox,
) -> None:
    box.cut = True
    assert send(by_mail(box.port)).ending is Ending.DOWN
    box.cut = False
    assert send(by_mail(box.port)).ending is Ending.SENT
    assert box.ids == [f"<notice.{KEY}@bureau.example>"] * 2


def test_nobody_listens(box: Mailbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert send(by_mail(port)).ending is Ending.DOWN


def test_a_server_that_trickles_is_given_up_when_the_time_is_over() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not over.wait(0.05):
                    try:
                        connection.sendall(b"220-x\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        ended = send(by_mail(server.getsockname()[1], notice_seconds=0.5))
        assert time.monotonic() - begun < 5
        over.set()
        thread.join()
    assert ended.ending is Ending.DOWN


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@b\r\nBcc: x@y", "a b@c", "<a@b>", "a@b, c@d", "甲@例.cn", "a@b..c", '"a"@b'],
)
def test_what_is_no_plain_address_gets_no_mail(address: str) -> None:
    with pytest.raises(InputError):
        mailing.build(KEY, "a@b.example", address, WORDS, MADE)


def test_in_the_clear_only_to_this_machine() -> None:
    with pytest.raises(HostError, match="without TLS"):
        mailing.require_usable(by_mail(25, smtp_host="mail.example.cn"))
    with pytest.raises(HostError, match="SMTP_FROM"):
        mailing.require_usable(by_mail(25, smtp_from="证据保管中心"))


def test_a_webhook_is_signed_and_says_no_more_than_it_must(hook: Hooked) -> None:
    assert post(by_hook(hook.url)).ending is Ending.SENT
    ((headers, body),) = hook.got
    now = int(datetime.fromisoformat(MADE).timestamp())
    told = headers[webhook.TIMESTAMP], headers[webhook.SIGNATURE]
    assert webhook.verify(SECRET.encode(), *told, body, now)
    assert headers[webhook.KEY] == KEY
    assert json.loads(body) == {
        "schema": "zhenglian.notice/1",
        "key": KEY,
        "number": "鉴〔2026〕1号",
        "clock": "completion",
        "clock_number": "",
        "title": "完成",
        "title_en": "completion",
        "kind": "before",
        "due": "2026-12-04",
        "due_at": "",
        "provisional": False,
        "stated_on": "2026-11-30",
        "link": "",
    }


@pytest.mark.parametrize(
    ("audience", "channel", "path"),
    [
        ("agency", "email", "/commission"),
        ("officer", "email", "/officer/commission"),
        ("agency", "webhook", "/officer/commission"),
    ],
)
def test_a_link_leads_to_the_page_of_whoever_gets_it(
    audience: str, channel: str, path: str
) -> None:
    chosen = Settings(public_url="https://queue.example/")
    link = link_to(chosen, NOTICE | {"audience": audience, "channel": channel})
    assert link.startswith(f"https://queue.example{path}?number=%E9%89%B4")


def test_a_signature_holds_for_its_body_its_time_and_its_secret_alone() -> None:
    body, now, secret = b'{"due":"2026-12-04"}', 1_796_000_000, SECRET.encode()
    signed = webhook.sign(secret, now, body)
    assert webhook.verify(secret, str(now), signed, body, now + webhook.WINDOW)
    assert not webhook.verify(secret, str(now), signed, body, now + webhook.WINDOW + 1)
    assert not webhook.verify(secret, str(now), signed, body, now - webhook.WINDOW - 1)
    assert not webhook.verify(secret, str(now), signed, body + b" ", now)
    assert not webhook.verify(secret, str(now + 1), signed, body, now)
    assert not webhook.verify(b"x" * 32, str(now), signed, body, now)
    for wrong in ("", "v1=", signed.upper(), signed[3:], "签"):
        assert not webhook.verify(secret, str(now), wrong, body, now)
    for wrong in ("", "-1", "1e9", "９" * 10, "1" * 40):
        assert not webhook.verify(secret, wrong, signed, body, now)


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (200, Ending.SENT),
        (302, Ending.NEVER),
        (400, Ending.NEVER),
        (404, Ending.NEVER),
        (408, Ending.LATER),
        (429, Ending.LATER),
        (500, Ending.LATER),
        (503, Ending.LATER),
    ],
)
def test_what_a_webhook_answers(hook: Hooked, status: int, ending: Ending) -> None:
    hook.status, hook.more = status, {"Location": hook.url}
    assert post(by_hook(hook.url)).ending is ending
    assert len(hook.got) == 1, "no redirect is followed"


def test_a_long_answer_is_not_read_and_kept_short(hook: Hooked) -> None:
    hook.status, hook.body = 400, b"<b>\x1b[31m" + b"x" * 5_000_000
    ended = post(by_hook(hook.url))
    assert len(ended.answer) <= 300
    assert "\x1b" not in ended.answer


def test_a_webhook_that_trickles_is_given_up_when_the_time_is_over(hook: Hooked) -> None:
    hook.trickle = True
    begun = time.monotonic()
    assert post(by_hook(hook.url, notice_seconds=0.5)).ending is Ending.DOWN
    assert time.monotonic() - begun < 5


def test_https_with_a_certificate_that_the_bureau_trusts_and_no_other(certificate: Path) -> None:
    with webhook_server(certificate) as hook:
        assert post(by_hook(hook.url, notice_ca=str(certificate))).ending is Ending.SENT
        assert post(by_hook(hook.url)).ending is Ending.DOWN
        assert len(hook.got) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.cn/x",
        "ftp://127.0.0.1/x",
        "https://",
        "https://user:word@hooks.example.cn/",
        "hooks.example.cn",
    ],
)
def test_a_webhook_is_https_or_this_machine(url: str) -> None:
    with pytest.raises(HostError, match="https"):
        hooking.require_usable(by_hook(url))


def test_a_short_secret_signs_nothing() -> None:
    chosen = by_hook("https://hooks.example.cn/", notice_webhook_secret=SecretStr("short"))
    with pytest.raises(HostError, match="SECRET"):
        hooking.require_usable(chosen)


def test_where_notices_go_is_said_without_what_may_be_a_secret(box: Mailbox) -> None:
    url = "https://hooks.example.cn/services/T0/secret?key=secret"
    found = {each: seen for each, _, seen in examine_channels(by_hook(url))}
    assert found[Channel.WEBHOOK] == "hooks.example.cn"
    wrong = by_mail(box.port, escalation_email="head@b.example, the head")
    assert "the head" in {each: seen for each, _, seen in examine_channels(wrong)}[Channel.EMAIL]
    usable = {each: fine for each, fine, _ in examine_channels(by_hook(url, notice_email="x"))}
    assert usable[Channel.WEBHOOK], "a webhook needs no mailbox"
    missing = by_mail(box.port, notice_ca="/no/such/file.pem")
    assert "NOTICE_CA" in {each: seen for each, _, seen in examine_channels(missing)}[Channel.EMAIL]
