"""Keeping the log: what further hosts put into the inbox is sequenced, signed and published.

One host of an installation holds the log's private key. There this runs, and every other host
waits for it. Two at once do no harm: the log has one leader at a time.
"""

from __future__ import annotations

from portal.logs import say
from portal.show import cell, told
from portal.stopping import Stop, stoppable
from storage.custody import Custody, current
from storage.errors import CustodyError
from storage.keyless import no_private_key

_PAUSE = 0.1
"""Seconds between two looks into an empty inbox: so long a step elsewhere may wait longer."""
_LONGEST_PAUSE = 30.0


def keep_log(*, once: bool) -> None:
    """Sign what waits, and go on until stopped.

    A database or store that does not answer is told once and asked again; nothing is signed that
    is not consistent with what was signed before.

    Raises:
        HostError: this host holds no private key.
        IntegrityError: journal, store and last head do not agree: a person must look.
    """
    custody = current()
    if not custody.signers.can_sign:
        raise no_private_key(custody.workspace)
    _sweep(custody)
    if once:
        say("log.signed", f"[green]✓[/] {custody.log.keep_up()} 条已签名 entries signed")
        return
    origin = cell(custody.settings.log_origin)
    say("started", f"签署日志 keeping the log [bold]{origin}[/]")
    with stoppable() as stop:
        _keep(custody, stop)
    say("stopped", "■ 已停止 stopped")


def _sweep(custody: Custody) -> None:
    """Remove what earlier publishers left of the log's partial tiles; that it fails is told."""
    try:
        gone = custody.log.sweep()
    except CustodyError as error:
        say("log.not_swept", f"[yellow]![/] {told(error.message)}", level="warning")
        return
    if gone:
        say(
            "log.swept",
            f"已清理 {gone} 个过时的不完整树砖 {gone} outgrown partial tiles were removed",
        )


def _keep(custody: Custody, stop: Stop) -> None:
    pause = _PAUSE
    while not stop.asked:
        try:
            moved = custody.log.keep_up()
        except CustodyError as error:
            if not error.transient:
                raise
            if pause == _PAUSE:
                say("log.waits", f"[red]✗[/] {told(error.message)}", level="error")
            pause = min(2 * pause, _LONGEST_PAUSE)
            stop.sleep(pause)
            continue
        if pause != _PAUSE:
            say("log.goes_on", "[green]✓[/] 恢复 it answers again")
            pause = _PAUSE
        if not moved:
            stop.sleep(pause)
