"""Every card read aloud: nothing of the machine in it, no word twice, one and many told apart."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.slack.blocks import answers, mailbox_reports, mailbox_status, recovery_card
from bot.slack.blocks.cards import present
from bot.slack.blocks.connect_link import connect_link
from bot.slack.blocks.kit import Card
from core.domain.account import MailboxStatus
from core.ports.storage import SyncLogEntry
from tests.fakes.services import NOW, Failed, Found, MailOutcome, Pack, a_mailbox, broken
from tests.unit.bot.facts import AT, BY_KIND, STATES
from tests.unit.bot.reading import aloud
from tests.unit.bot.test_cards import assert_slack_takes

ACTED = {"actor": "U0OMAR", "actor_at": AT, "recovered_at": AT, "down_minutes": 95}


def cards() -> dict[str, Card]:
    """Each state of each card and each answer about mailboxes, by name."""
    made = {
        f"{kind} {state}": present(kind, BY_KIND[kind] | ({"state": state, **ACTED} if state else {}))
        for kind, states in STATES.items()
        for state in states
    }
    mailbox = a_mailbox()
    entry = SyncLogEntry("m", NOW, "credentials_rejected", "NO bad", "Press Reconnect.")
    made |= {f"status {one}": mailbox_status.mailbox_detail(a_mailbox(status=one)) for one in MailboxStatus}
    return made | {
        "status list": mailbox_status.mailbox_list("Your mailboxes", [mailbox, broken()]),
        "switched off": answers.switched(mailbox, replace(mailbox, capture=False), "capture"),
        "switched on": answers.switched(replace(mailbox, send=False, capture=False), mailbox, "send"),
        "log": mailbox_reports.mailbox_log(mailbox, [entry]),
        "test sent": mailbox_reports.mail_tested(mailbox, MailOutcome(True, "ben@candidates.example")),
        "test arrived": mailbox_reports.mail_tested(
            mailbox, MailOutcome(True, "b@x.example", arrival="It arrived in b@x.example, folder INBOX.")
        ),
        "test failed": mailbox_reports.mail_tested(
            mailbox, MailOutcome(False, "b@x.example", "It did not go", "", "Wait.")
        ),
        "escalation": mailbox_reports.escalation(Pack(), "alert-1", "mark", version=2),
        "escalated": mailbox_reports.escalated(Pack(), "U0RITA"),
        "posted": mailbox_reports.escalation_posted("C0ALERTS"),
        "review": recovery_card.review([Failed()]),
        "connect": connect_link("https://x.test/c", "rita@agency.test", secure=False, found=Found()),
        "reconnect": connect_link("https://x.test/c", "rita@agency.test", secure=True, reconnect=True),
    }


CARDS = cards()


@pytest.mark.parametrize("name", CARDS)
def test_slack_takes_it(name: str) -> None:
    assert_slack_takes(CARDS[name])


@pytest.mark.parametrize("name", CARDS)
def test_it_reads_as_a_person_would_say_it(name: str) -> None:
    """No word twice, no stray blanks, no machine names, no bare times; one is not "1 stages"."""
    for read in (aloud(CARDS[name], quoted=False), CARDS[name].text):
        said = re.sub(r"<!date\^[^>]*>|<@\w+>|/\w+ [\w ]+|https?://\S+|[^\s@]+@[\w.-]+\w", "(x)", read)
        assert not re.search(r"\b(\w+) \1\b", said, re.IGNORECASE)
        assert not re.search(r"[^\n]  |\s[.,;:]|[.,]{2}| \n|\.\s+\.", said)
        assert not re.search(r"\bNone\b(?! of)|\bTrue\b|\bFalse\b|\d{4}-\d\d-\d\dT", said)
        assert not re.search(r"\b1 (?:stages|mailboxes|days|messages|reminders|mails|seats)\b", said)
        assert not re.search(r"\b(?:UID\w*|IDLE|exception|traceback|null|uuid|JSON)\b", said, re.IGNORECASE)


@pytest.mark.parametrize("name", CARDS)
def test_only_settings_have_names_with_underscores(name: str) -> None:
    said = re.findall(r"\b[a-z]+_[a-z_]+\b", aloud(CARDS[name], quoted=False))
    assert set(said) <= {"mailbox_limit", "mailbox_daily", "alert_channel"}
