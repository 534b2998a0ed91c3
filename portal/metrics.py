"""Metrics in Prometheus' text form: the gauges of the installation and the counters of a server.

Asking must stay cheap however large the house is: each group of gauges is kept for a minute, and
a group whose answer took long for a hundred times as long as it took. So no more than a hundredth
of one core goes into counting. On a busy machine whoever asks gets, after some seconds, what was
known before; every answer says how old it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from storage.custody import Custody
from tasks.gauge_names import GAUGES
from tasks.gauges import GROUPS, Sample, Samples

# When each series began is told by process_start_time_seconds well enough.
disable_created_metrics()  # type: ignore[no-untyped-call]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
KEPT_SECONDS = 60.0
PATIENCE_SECONDS = 4.0
"""How long who asks a server waits for new answers; Prometheus itself waits for 10 s."""
_TIMES = 100.0
"""An answer is kept for at least so many times as long as it took."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the buckets of answering times; a request that waits for news takes up to 25 s."""


class _Kept:
    """One group of gauges and its newest answer."""

    def __init__(self, name: str, ask: Callable[[Custody], Samples]) -> None:
        self._name, self._ask = name, ask
        self._until = float("-inf")
        self.samples: list[Sample] = []

    def refresh(self, custody: Custody, now: float) -> None:
        """Ask for the group's values again if their time is over."""
        if now >= self._until:
            began = time.perf_counter()
            try:
                found, up = list(self._ask(custody)), 1
            except Exception:  # noqa: BLE001 - one part of the house must not hide the others
                found, up = [], 0
            took = time.perf_counter() - began
            self._until = now + max(KEPT_SECONDS, _TIMES * took)
            labels = (self._name,)
            self.samples = [
                *found,
                Sample("custody_group_up", up, labels),
                Sample("custody_group_seconds", took, labels),
                Sample("custody_group_asked_timestamp_seconds", time.time(), labels),
            ]


class HouseCollector(Collector):
    """The gauges of an installation, for a registry of Prometheus' client."""

    def __init__(
        self,
        custody: Custody,
        groups: Mapping[str, Callable[[Custody], Samples]] = GROUPS,
        clock: Callable[[], float] = time.monotonic,
        patience: float | None = None,
    ) -> None:
        """Ask an installation; groups are asked one after the other, by one thread at a time.

        ``patience`` is in seconds; None: as long as it takes.
        """
        self._custody, self._clock, self._patience = custody, clock, patience
        self._groups = [_Kept(*each) for each in groups.items()]
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return nothing: whoever registers this must not have to ask the database."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield every gauge that has a value."""
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(target=self._refresh, name="gauges", daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(self._patience)
        samples = [each for kept in self._groups for each in kept.samples]
        families = {
            gauge.name: GaugeMetricFamily(gauge.name, gauge.words, labels=gauge.labels)
            for gauge in GAUGES
        }
        for sample in samples:
            families[sample.name].add_metric(sample.labels, sample.value)
        return [family for family in families.values() if family.samples]

    def _refresh(self) -> None:
        now = self._clock()
        for each in self._groups:
            each.refresh(self._custody, now)


class Meters:
    """What one server counts of its requests; ``text`` is all that it and its house say."""

    def __init__(self, custody: Custody) -> None:
        """Begin to count."""
        self.registry = CollectorRegistry()
        self.registry.register(HouseCollector(custody, patience=PATIENCE_SECONDS))
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "custody_http_requests",
            "网页与接口的请求数 requests answered, by route and status",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "custody_http_request_seconds",
            "答复所用时间 how long requests took to their last byte, by route",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._running = Gauge(
            "custody_http_requests_running",
            "正在答复的请求数 requests that are being answered",
            registry=self.registry,
        )

    def began(self) -> None:
        """Count a request that came."""
        self._running.inc()

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered, or broke off."""
        self._running.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text form."""
        return generate_latest(self.registry)


def house_text(custody: Custody) -> str:
    """Return the gauges of an installation in Prometheus' text form, asked for now."""
    registry = CollectorRegistry()
    registry.register(HouseCollector(custody))
    return generate_latest(registry).decode()
