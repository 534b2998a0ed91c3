"""The gauges of an installation: their names, labels and what each of them says.

Names follow Prometheus' conventions: ``custody_`` first, base units last (seconds, bytes, ratio),
and moments as seconds since 1970, so that an age is right however old the answer is
(``time() - custody_..._timestamp_seconds``). A moment of 0 says "never"; one that is left out,
that there is nothing to be late.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gauge:
    """One gauge; ``words`` are Chinese and English."""

    name: str
    words: str
    labels: tuple[str, ...] = ()


GAUGES = (
    Gauge("custody_exhibits", "证据件数 exhibits on record"),
    Gauge("custody_exhibits_unread", "尚未识读的证据件数 exhibits without a reading yet"),
    Gauge("custody_readings", "识读结果件数 newest readings, by state", ("state",)),
    Gauge("custody_read_pages", "已识读页数 pages in the newest readings, by state", ("state",)),
    Gauge("custody_accessions", "接收批次数 bundles received, by state", ("state",)),
    Gauge("custody_accession_bytes", "接收的字节数 bytes of those bundles", ("state",)),
    Gauge("custody_quarantined_bundles", "隔离待决定的证据包 bundles on which nobody has decided"),
    Gauge(
        "custody_claims_waiting",
        "已取走、此刻无人处理的证据包 bundles taken, not done, on which nobody works now",
        ("state",),
    ),
    Gauge(
        "custody_claims_oldest_timestamp_seconds",
        "其中最早一件取走的时间 when the oldest of them was taken; left out if there is none",
        ("state",),
    ),
    Gauge("custody_drop_bundles", "投递目录内等候的证据包 bundles that wait in the drop folders"),
    Gauge("custody_drop_unreadable_folders", "不能读取的投递目录 drop folders that are unreadable"),
    Gauge("custody_ingests", "正在处理的证据包 ingests: working, or stalled", ("state",)),
    Gauge("custody_log_entries", "保管日志条数 entries of the custody log"),
    Gauge("custody_log_published_entries", "已签发条数 entries under a signed checkpoint"),
    Gauge(
        "custody_log_last_entry_timestamp_seconds", "最新一条入册的时间 when the newest was placed"
    ),
    Gauge("custody_log_inbox_events", "待入册的事件数 events that wait for their place"),
    Gauge(
        "custody_log_inbox_oldest_timestamp_seconds",
        "其中最早一件的时间 when the oldest of them was made; left out if none waits",
    ),
    Gauge("custody_log_refused_events", "被拒绝入册的事件数 events that were refused a place"),
    Gauge("custody_kept_objects", "保管对象数 objects kept", ("role",)),
    Gauge("custody_kept_bytes", "保管字节数 bytes kept", ("role",)),
    Gauge("custody_fixity_wrong_objects", "核验不符的对象数 objects that failed when last read"),
    Gauge(
        "custody_fixity_read_ratio",
        "规定期限内核验过的字节比例 share of the kept bytes that was read within the period",
    ),
    Gauge("custody_fixity_period_seconds", "规定期限 that period"),
    Gauge(
        "custody_fixity_oldest_timestamp_seconds",
        "最久未核验者的上次核验（或入库）时间 when the longest unread object was read or stored",
    ),
    Gauge(
        "custody_anchor_last_timestamp_seconds",
        "最近一次时间戳 the newest timestamp of an authority; 0: none yet",
        ("authority", "algorithm"),
    ),
    Gauge(
        "custody_anchor_unstamped_timestamp_seconds",
        "最早一条尚无时间戳的记录的时间 when the oldest record without one was made; left out if "
        "all have one",
        ("authority", "algorithm"),
    ),
    Gauge("custody_alerts_open", "未关闭的警报 open alerts of 'custody alerts'", ("kind",)),
    Gauge(
        "custody_alerts_oldest_timestamp_seconds",
        "其中最早一件的时间 when the oldest of them was raised",
        ("kind",),
    ),
    Gauge("custody_commissions", "委托数 commissions, as listings call them", ("standing",)),
    Gauge(
        "custody_commissions_overdue_timestamp_seconds",
        "逾期最久者的期限届满时间 end of the day that the longest overdue was due; left out if "
        "none is",
    ),
    Gauge("custody_notices", "期限通知数 notices about clocks", ("channel", "state")),
    Gauge("custody_notices_failing", "投递失败待重试 notices that failed and are tried again"),
    Gauge(
        "custody_chase_last_timestamp_seconds",
        "最近一次期限检查之日的零时 midnight of the day the clocks were last chased; 0: never",
    ),
    Gauge("custody_uploads_open", "进行中的上传 uploads of opinions under way"),
    Gauge("custody_disk_free_bytes", "工作区磁盘剩余字节 free on the disk of the workspace"),
    Gauge("custody_disk_size_bytes", "工作区磁盘总字节 size of the disk of the workspace"),
    Gauge("custody_build_info", "版本 the version that answers", ("version",)),
    Gauge(
        "custody_group_up",
        "该组指标可否取得 1: this group of gauges could be asked for, 0: not",
        ("group",),
    ),
    Gauge("custody_group_seconds", "取得该组指标所用时间 how long asking for it took", ("group",)),
    Gauge("custody_group_asked_timestamp_seconds", "取得的时间 when it was asked for", ("group",)),
)
"""Every gauge, in the order in which they are given."""
