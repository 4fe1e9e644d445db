"""The numbers that an operator watches, for Prometheus: no addresses and no ids in labels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The numbers of one moment. The two outboxes count rows by state; ``imap_connected`` counts mailboxes whose
    connection stands; ``loop_lag_seconds`` is what the event loop's watchdog says."""

    mail_outbox: Mapping[str, int] = field(default_factory=dict)
    slack_outbox: Mapping[str, int] = field(default_factory=dict)
    imap_connected: int = 0
    loop_lag_seconds: float = 0.0


class Metrics:
    """``/metrics`` with a registry of its own; others may put their own collectors into ``registry``."""

    def __init__(self, collect: Callable[[], Awaitable[Snapshot]], registry: CollectorRegistry | None = None) -> None:
        self._collect = collect
        self.registry = registry or CollectorRegistry()
        self._mail = Gauge("mail_outbox", "Deliveries by state", ["state"], registry=self.registry)
        self._slack = Gauge("slack_outbox", "Slack messages by state", ["state"], registry=self.registry)
        self._imap = Gauge("imap_connected", "Mailboxes with a standing connection", registry=self.registry)
        self._lag = Gauge("loop_lag_seconds", "Seconds the event loop is late", registry=self.registry)

    async def show(self, _: web.Request) -> web.Response:
        """The text exposition format."""
        self._set(await self._collect())
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _set(self, now: Snapshot) -> None:
        for gauge, counts in ((self._mail, now.mail_outbox), (self._slack, now.slack_outbox)):
            gauge.clear()  # a state that has emptied must not keep its last number
            for state, count in counts.items():
                gauge.labels(state).set(count)
        self._imap.set(now.imap_connected)
        self._lag.set(now.loop_lag_seconds)
