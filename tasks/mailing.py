"""Notices by e-mail: the text of a mail is built here and spoken to one server by SMTP.

A mail's Message-ID is derived from the notice's key, and its date from the notice: the same notice
is the same mail, so that a repeat after a crash is recognised by whoever stores mail by Message-ID.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.header import Header
from email.mime.text import MIMEText
from email.utils import format_datetime
from typing import Any, cast

from appraisal.notice_words import Text
from storage.errors import HostError, InputError
from storage.settings import Settings
from tasks.delivery import Ending, Outcome, is_this_machine, outcome, tls_context

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
_TEMPORARY = range(400, 500)
_OF_THE_CHANNEL = frozenset({421, 530})
"""Answers to a recipient that hold for all: the server shuts down, or wants us to sign in."""


def is_address(untrusted: str) -> bool:
    """Say whether this is one plain ASCII address, without name or comment."""
    return _ADDRESS.fullmatch(untrusted) is not None and ".." not in untrusted


def right_ones(setting: str) -> tuple[str, ...]:
    """Return the addresses of a setting, which stand between commas; what is none is left out."""
    found = (each.strip() for each in setting.split(","))
    return tuple(dict.fromkeys(each for each in found if is_address(each)))


def require_addresses(setting: str, name: str) -> None:
    """Refuse a setting that holds something else than addresses.

    Raises:
        HostError: one of them is none.
    """
    named = [each.strip() for each in setting.split(",") if each.strip()]
    wrong = [each for each in named if not is_address(each)]
    if wrong:
        raise HostError(
            f"{name}中“{wrong[0]}”不是邮箱地址 {wrong[0]!r} in {name} is no e-mail address",
            remedy="separate plain addresses by commas",
        )


def require_usable(chosen: Settings) -> None:
    """Refuse settings of the mail server with which no mail should go out.

    Raises:
        HostError: no sender, or mail or password would cross the network in the clear.
    """
    if not is_address(chosen.smtp_from):
        raise HostError(
            "CUSTODY_SMTP_FROM不是邮箱地址 CUSTODY_SMTP_FROM is no e-mail address",
            remedy="name the address that notices come from",
        )
    if chosen.smtp_security == "none" and not is_this_machine(chosen.smtp_host):
        raise HostError(
            "不经加密只能连接本机邮件服务器 without TLS only a mail server on this machine is used",
            remedy="set CUSTODY_SMTP_SECURITY to starttls or tls",
        )


def build(key: str, sender: str, recipient: str, text: Text, made_at: str) -> MIMEText:
    """Return a notice as a mail; equal for equal arguments.

    Raises:
        InputError: the recipient is no address.
    """
    if not is_address(recipient):
        raise InputError(
            f"“{recipient}”不是邮箱地址 {recipient!r} is no e-mail address",
            remedy="correct the contact",
        )
    # Each part of a subject that is longer than a line keeps its blanks, unlike with newer classes.
    mail = MIMEText(text.body, "plain", "utf-8")
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = cast(Any, Header(text.subject, "utf-8"))
    mail["Date"] = format_datetime(datetime.fromisoformat(made_at))
    mail["Message-ID"] = f"<notice.{key}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    return mail


def send_mail(chosen: Settings, mail: MIMEText) -> Outcome:
    """Hand one mail to the server; whatever goes wrong there is an outcome, not an error.

    Raises:
        HostError: the settings cannot be used.
    """
    require_usable(chosen)
    context = tls_context(chosen)
    try:
        with _connected(chosen, context) as server:
            refused = server.send_message(mail)
            # One recipient: it was taken, or an error was raised.
            return outcome(Ending.LATER if refused else Ending.SENT, "accepted by the server")
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(*next(iter(error.recipients.values())))
    except smtplib.SMTPAuthenticationError as error:
        return outcome(Ending.DOWN, f"sign-in refused: {error.smtp_code} {_text(error)}")
    except smtplib.SMTPSenderRefused as error:
        # Who sends is a setting: no recipient's notice is given up for it.
        return outcome(Ending.DOWN, f"sender refused: {error.smtp_code} {_text(error)}")
    except smtplib.SMTPDataError as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError, EOFError, ValueError) as error:
        return outcome(Ending.DOWN, f"{type(error).__name__}: {error}")


def _text(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _refused(code: int, untrusted_answer: object) -> Outcome:
    if isinstance(untrusted_answer, bytes):
        untrusted_answer = untrusted_answer.decode("utf-8", "replace")
    said = f"{code} {untrusted_answer}"
    if code in _OF_THE_CHANNEL:
        return outcome(Ending.DOWN, said)
    return outcome(Ending.LATER if code in _TEMPORARY else Ending.NEVER, said)


class _Timed(smtplib.SMTP):
    """A connection that is cut when its time is over, however slowly the server trickles."""

    seconds = 0.0
    watch: threading.Timer | None = None

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> Any:
        """Connect; from now on the time runs."""
        self.watch = threading.Timer(self.seconds, _cut, (self,))
        self.watch.daemon = True
        self.watch.start()
        return super().connect(host, port, source_address)

    def close(self) -> None:
        """Close it; smtplib calls this too, where a connection could not be made."""
        if self.watch is not None:
            self.watch.cancel()
        super().close()


class _TimedTls(_Timed, smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""


@contextmanager
def _connected(chosen: Settings, context: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    """Yield a connection on which a mail can be sent."""
    kind = _TimedTls if chosen.smtp_security == "tls" else _Timed
    timed = type(kind.__name__, (kind,), {"seconds": chosen.notice_seconds})
    more = {"context": context} if kind is _TimedTls else {}
    server: smtplib.SMTP = timed(
        chosen.smtp_host,
        chosen.smtp_port,
        local_hostname=chosen.smtp_from.rpartition("@")[2],
        timeout=chosen.notice_seconds,
        **more,
    )
    try:
        if chosen.smtp_security == "starttls":
            server.starttls(context=context)
        if chosen.smtp_user:
            server.login(chosen.smtp_user, chosen.smtp_password.get_secret_value())
        yield server
        # The mail is with the server; how it says goodbye changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        with suppress(OSError):
            server.close()


def _cut(server: smtplib.SMTP) -> None:
    """End a connection under whoever waits on it."""
    with suppress(OSError, AttributeError, ValueError):
        if server.sock is not None:
            socket.socket.shutdown(server.sock, socket.SHUT_RDWR)
