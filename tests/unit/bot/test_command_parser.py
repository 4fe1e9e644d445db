"""What people type, and what it means."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import command_parser as asked
from bot.slack.command_parser import MAILBOX, OUTREACH, VERBS, Help, Hint, parse_mailbox, parse_outreach

RITA = "rita@agency.test"


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", Help(MAILBOX)),
        ("   ", Help(MAILBOX)),
        ("help", Help(MAILBOX)),
        ("HELP me", Help(MAILBOX)),
        ("status", asked.MailboxStatus()),
        ("status all", asked.MailboxStatus(everybody=True)),
        (f"status {RITA}", asked.MailboxStatus(address=RITA)),
        (f"status <mailto:{RITA}|{RITA}>", asked.MailboxStatus(address=RITA)),
        ("status <@U0RITA|rita>", asked.MailboxStatus(owner="U0RITA")),
        ("status <@U0RITA>", asked.MailboxStatus(owner="U0RITA")),
        ("connect", asked.ConnectMailbox()),
        (f"Connect {RITA}", asked.ConnectMailbox(RITA)),
        ("resync", asked.ResyncMailbox()),
        ("resync ALL", asked.ResyncMailbox(everything=True)),
        (f'resync "{RITA}"', asked.ResyncMailbox(RITA)),
        (f"refresh {RITA}", asked.RefreshMailbox(RITA)),
        ("pause", asked.PauseMailbox()),
        ("resume", asked.ResumeMailbox()),
        ("switch send off", asked.SwitchMailbox(None, "send", False)),
        (f"switch <mailto:{RITA}|{RITA}> Capture ON", asked.SwitchMailbox(RITA, "capture", True)),
        (f"disconnect {RITA}", asked.DisconnectMailbox(RITA)),
        ("log", asked.MailboxLog()),
        ("check", asked.CheckDomain()),
        ("check Agency.Test", asked.CheckDomain("agency.test")),
        ("check <http://agency.test|agency.test>", asked.CheckDomain("agency.test")),
        (f"check <mailto:{RITA}|{RITA}>", asked.CheckDomain("agency.test")),
        ("settings", asked.ShowSettings()),
        ("settings alert_channel <#C0ALERTS|mailbox-alerts>", asked.ChangeSetting("alert_channel", "C0ALERTS")),
        ("settings set spacing_min_s 90", asked.ChangeSetting("spacing_min_s", "90")),
        ("settings settle_s 60, 300, 900", asked.ChangeSetting("settle_s", "60, 300, 900")),
    ],
)
def test_mailbox_requests(text: str, request_: object) -> None:
    assert parse_mailbox(text) == request_


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", Help(OUTREACH)),
        ("status", asked.OutreachStatus()),
        ("status Backend engineers, autumn", asked.OutreachStatus("Backend engineers, autumn")),
        ('status "Backend engineers, autumn"', asked.OutreachStatus("Backend engineers, autumn")),
        ("status “Backend engineers, autumn”", asked.OutreachStatus("Backend engineers, autumn")),
        ("status „Backend  engineers“", asked.OutreachStatus("Backend engineers")),
        ('status "never closed', asked.OutreachStatus("never closed")),
        ("list", asked.ListCampaigns()),
        ("start R&amp;D O'Brien", asked.StartCampaign("R&D O'Brien")),
        ("start a &lt;b&gt; c", asked.StartCampaign("a <b> c")),
        ("start", asked.StartCampaign()),
        ('start ""', asked.StartCampaign()),
        ("pause X", asked.PauseCampaign("X")),
        ("retry all", asked.RetryCampaign(None)),
        ('retry "all"', asked.RetryCampaign("all")),
        ("retry Backend engineers", asked.RetryCampaign("Backend engineers")),
        ("retry <mailto:ben@candidates.example|ben@candidates.example>", asked.RetryPerson("ben@candidates.example")),
        ("person ben@candidates.example", asked.ShowPerson("ben@candidates.example")),
    ],
)
def test_outreach_requests(text: str, request_: object) -> None:
    assert parse_outreach(text) == request_


@pytest.mark.parametrize(
    ("text", "problem", "usage"),
    [
        ("satus", "Did you mean “status”?", "/mailbox status"),
        ("resinc all", "Did you mean “resync”?", "/mailbox resync"),
        ("frobnicate", "do not know “frobnicate”", "/mailbox help"),
        ("start X", "belongs to /outreach", "/outreach start"),
        ("status rita", "“rita” is not an e-mail address", "/mailbox status [all | address | @person]"),
        ("resync a@x.test b@x.test", "One address at a time", "/mailbox resync [address | all]"),
        ("switch", "Which switch, and on or off?", "/mailbox switch [address] send|capture on|off"),
        (f"switch {RITA} off", "Which switch, and on or off?", "/mailbox switch [address] send|capture on|off"),
        ("switch rita send on", "“rita” is not an e-mail address", "/mailbox switch [address] send|capture on|off"),
        ("disconnect", "Which mailbox?", "/mailbox disconnect address"),
        ("check agency", "is not a domain", "/mailbox check [domain | address]"),
        ("check agency.test initech.example", "One domain", "/mailbox check [domain | address]"),
        ("settings alert_channel", "to which value?", "/mailbox settings [name value]"),
        ("<@U0RITA> status", "do not know", "/mailbox help"),
    ],
)
def test_what_is_not_understood_names_the_nearest_and_the_usage(text: str, problem: str, usage: str) -> None:
    hint = parse_mailbox(text)
    assert isinstance(hint, Hint)
    assert problem in hint.problem
    assert hint.usage == usage


@pytest.mark.parametrize("text", ["pause", 'pause ""', "retry", "person", "person two words", "person ben"])
def test_an_argument_that_is_missing_is_asked_for(text: str) -> None:
    hint = parse_outreach(text)
    assert isinstance(hint, Hint)
    assert hint.usage.startswith("/outreach ")


RUBBISH = st.text(alphabet=st.sampled_from("<>@|#\"“”'& \n\tabcU0:/.;,status"), max_size=300) | st.text(max_size=300)


@given(RUBBISH)
def test_rubbish_is_never_more_than_a_hint_or_a_request(text: str) -> None:
    for parse in (parse_mailbox, parse_outreach):
        found = parse(text)
        if isinstance(found, Hint):
            assert found.problem
            assert found.usage
            assert len(found.problem) < 200


@pytest.mark.parametrize("piece", ["<", '"', "<@", "“", "<mailto:", "a ", "<http://", " ", "&lt;", "<U1|"])
def test_ten_thousand_characters_are_answered_at_once(piece: str) -> None:
    """Both unread above the limit and, a thousand long, without any quadratic search."""
    began = time.process_time()
    assert isinstance(parse_mailbox(piece * 10_000), Hint | Help)
    parse_outreach("status " + piece * (900 // len(piece)))
    assert time.process_time() - began < 1.0


def test_every_verb_of_the_help_is_understood() -> None:
    for command, parse in ((MAILBOX, parse_mailbox), (OUTREACH, parse_outreach)):
        for verb in VERBS[command]:
            found = parse(verb.name)
            assert not (isinstance(found, Hint) and "do not know" in found.problem), verb
