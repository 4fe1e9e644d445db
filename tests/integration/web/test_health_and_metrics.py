"""What probes and Prometheus are told."""

from __future__ import annotations

import json

from bot.web.health import PartState
from bot.web.metrics import Snapshot
from tests.integration.web.conftest import Site, Visitor


async def test_alive_while_the_loop_turns(site: Site, visitor: Visitor) -> None:
    """A watchdog five seconds late means that the process should be replaced."""
    page = await visitor.ask("GET", "/healthz")
    assert page.status == 200
    assert json.loads(page.text) == {"alive": True, "loop_lag_s": 0.01}

    site.lag = 5.0
    assert (await visitor.ask("GET", "/healthz")).status == 503


async def test_ready_names_each_part(site: Site, visitor: Visitor) -> None:
    """One part that is not well is enough for 503, and it is named."""
    assert (await visitor.ask("GET", "/readyz")).status == 200

    site.parts = lambda: {"database": PartState(True), "slack": PartState(False, "no answer since 12 min")}
    page = await visitor.ask("GET", "/readyz")

    assert page.status == 503
    assert json.loads(page.text) == {
        "ready": False,
        "parts": {"database": {"ok": True, "detail": ""}, "slack": {"ok": False, "detail": "no answer since 12 min"}},
    }


async def test_a_probe_gets_an_answer_when_a_part_breaks(site: Site, visitor: Visitor) -> None:
    """The error's kind, not its words."""

    def broken() -> dict[str, PartState]:
        raise RuntimeError("secret words")

    site.parts = broken
    page = await visitor.ask("GET", "/readyz")

    assert page.status == 503
    assert "secret words" not in page.text


async def test_metrics_show_the_newest_numbers_only(site: Site, visitor: Visitor) -> None:
    """A state that has emptied does not keep its last number."""
    site.snapshot = Snapshot({"queued": 3, "sent": 5}, {"ready": 1}, imap_connected=2, loop_lag_seconds=0.5)
    page = await visitor.ask("GET", "/metrics")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/plain; version=")
    for line in (
        'mail_outbox{state="queued"} 3.0',
        'mail_outbox{state="sent"} 5.0',
        'slack_outbox{state="ready"} 1.0',
        "imap_connected 2.0",
        "loop_lag_seconds 0.5",
    ):
        assert line in page.text.splitlines()

    site.snapshot = Snapshot({"sent": 8})
    page = await visitor.ask("GET", "/metrics")
    assert 'state="queued"' not in page.text
    assert 'mail_outbox{state="sent"} 8.0' in page.text


async def test_slack_has_its_one_door(site: Site, visitor: Visitor) -> None:
    """POST only; the rest of the site is 404 and 405 in words."""
    assert (await visitor.ask("POST", "/slack/events", data=b"{}")).text == "slack"
    refused = await visitor.ask("GET", "/slack/events")
    assert refused.status == 405
    assert refused.headers["Allow"] == "POST"
    assert (await visitor.ask("GET", "/")).status == 404
