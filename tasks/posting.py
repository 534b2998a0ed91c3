"""Posting: one notice goes out by its channel, and what is set up to do so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from appraisal.chasing import Channel
from appraisal.notice_words import Text, fields_of, fill
from storage.custody import Custody
from storage.errors import HostError, InputError
from storage.settings import Settings
from tasks import hooking, mailing
from tasks.delivery import Ending, Outcome, outcome, tls_context
from tasks.wording import template

_RECIPIENTS = ("notice_email", "escalation_email")


def settings_named(chosen: Settings) -> frozenset[Channel]:
    """Return the channels that the settings name, whether or not they can be used."""
    return configured(chosen) - {Channel.QUEUE}


def configured(chosen: Settings) -> frozenset[Channel]:
    """Return the channels for which notices are made; the queue page always is one."""
    found = {Channel.QUEUE}
    if chosen.smtp_host:
        found.add(Channel.EMAIL)
    if chosen.notice_webhook:
        found.add(Channel.WEBHOOK)
    return frozenset(found)


def examine_channels(chosen: Settings) -> list[tuple[Channel, bool, str]]:
    """Return each channel, whether it can be used, and what is to be said about it."""
    found = [(Channel.QUEUE, True, "queue page")]
    for channel, named, require in (
        (Channel.EMAIL, chosen.smtp_host, mailing.require_usable),
        (Channel.WEBHOOK, chosen.notice_webhook, hooking.require_usable),
    ):
        if not named:
            found.append((channel, False, "not configured: nobody is told this way"))
            continue
        # Of a webhook's address only the host is shown: the rest of it may be a secret.
        shown = urlsplit(named).hostname or "?" if channel is Channel.WEBHOOK else named
        try:
            require(chosen)
            tls_context(chosen)
            for name in _RECIPIENTS if channel is Channel.EMAIL else ():
                mailing.require_addresses(getattr(chosen, name), f"CUSTODY_{name.upper()}")
            found.append((channel, True, shown))
        except HostError as error:
            found.append((channel, False, f"{error.message}; {error.remedy}"))
    return found


def text_of(custody: Custody, notice: Mapping[str, Any]) -> Text:
    """Return the words of a notice in the installation's language."""
    language = custody.settings.language
    fields = fields_of(notice, language, link_to(custody.settings, notice), _sender(custody))
    return fill(template(custody, notice["template"], language), fields)


def link_to(chosen: Settings, notice: Mapping[str, Any]) -> str:
    """Return the address of a commission's page; empty for a case, or where none is set."""
    if not (chosen.public_url and notice["commission_no"]):
        return ""
    agency = notice["audience"] == "agency" and notice["channel"] != Channel.WEBHOOK
    path = "/commission" if agency else "/officer/commission"
    query = urlencode({"number": notice["commission_no"]})
    return f"{chosen.public_url.rstrip('/')}{path}?{query}"


def _sender(custody: Custody) -> str:
    return custody.settings.receiver_unit


def deliver(custody: Custody, row: Mapping[str, Any]) -> Outcome:
    """Give one waiting notice to its channel and say how that ended; nothing is recorded."""
    notice, key, chosen = row["notice"], row["key"], custody.settings
    try:
        if row["channel"] == Channel.EMAIL:
            text = text_of(custody, notice)
            mail = mailing.build(key, chosen.smtp_from, row["recipient"], text, row["made_at"])
            return mailing.send_mail(chosen, mail)
        body = hooking.body_of(key, notice, link_to(chosen, notice))
        return hooking.post(chosen, key, body, custody.now())
    except InputError as error:
        return outcome(Ending.NEVER, error.message)
    except HostError as error:
        return outcome(Ending.DOWN, error.message)


def send_test(custody: Custody, address: str) -> Outcome:
    """Send a mail that says it is a test; nothing is recorded.

    Raises:
        HostError: no mail server is set up, or its settings cannot be used.
        InputError: the recipient is no address.
    """
    chosen = custody.settings
    if not chosen.smtp_host:
        raise HostError(
            "未设置邮件服务器 no mail server is set", remedy="set CUSTODY_SMTP_HOST and the rest"
        )
    mailing.require_usable(chosen)
    text = Text(
        "【测试】证链提醒 Test of notices",
        "这是一封测试邮件，收到即说明邮件通道可用。\n"
        "This is a test; if you read it, notices can be mailed.\n",
    )
    now = custody.now()
    key = f"test.{int(custody.clock().timestamp() * 1000)}"
    return mailing.send_mail(chosen, mailing.build(key, chosen.smtp_from, address, text, now))
