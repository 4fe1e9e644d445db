"""/mailbox check, typed in Slack: verdicts in words, for the asker alone."""

from __future__ import annotations

from bot.slack.slack_app import SlackFace
from sandbox.slack import SlackSandbox
from tests.fakes.services import FakeServices, a_mailbox
from tests.integration.slack.test_commands import ask, said


async def test_a_domain_is_told_in_words_first(slack: SlackSandbox, face: SlackFace, services: FakeServices) -> None:
    """R63, R208: each record, what is wrong with it, and the one to publish."""
    services.domains.records = {
        ("MX", "initech.example"): ("10 mail.initech.example",),
        ("ADDRESS", "mail.initech.example"): ("192.0.2.1",),
        ("TXT", "initech.example"): ("v=spf1 mx -all",),
    }
    answer = await ask(slack, "check initech.example")
    assert answer.text == "Mail of initech.example: Wrong: DMARC. Not known: DKIM. Right: MX, SPF."
    assert "v=spf1 mx -all" in said(answer)
    assert "_dmarc.initech.example: v=DMARC1; p=none" in said(answer)
    assert "check again, and resync" in said(answer)
    assert services.domains.asked == [("initech.example", None)]


async def test_without_a_domain_it_is_that_of_ones_own_mailbox(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """With the provider that it is connected at (R54)."""
    services.mailboxes.mailboxes = [a_mailbox("rita@agency.test", provider="google")]
    services.domains.records = {("MX", "agency.test"): ("0 agency-test.mail.protection.outlook.com",)}
    answer = await ask(slack, "check")
    assert services.domains.asked == [("rita@agency.test", "google")]
    assert "connected at Google, but the domain's mail is taken by Microsoft" in said(answer)


async def test_what_is_no_domain_gets_a_hint(slack: SlackSandbox, face: SlackFace, services: FakeServices) -> None:
    assert "Type: /mailbox check" in (await ask(slack, "check everything")).text
    assert services.domains.asked == []
