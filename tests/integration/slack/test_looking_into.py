"""/mailbox test, log, escalate, connect and status with all that stands beside a mailbox, typed in Slack."""

from __future__ import annotations

import json

import pytest

from bot.slack.slack_app import SlackFace
from core.domain.account import MailboxStatus
from core.errors import ConnectionLostError, InputError, RefusedError
from core.ports.storage import SyncLogEntry
from sandbox.slack import SlackSandbox
from tests.fakes.services import (
    NOW,
    FakeDiscovery,
    FakeServices,
    Found,
    MailOutcome,
    Progress,
    a_mailbox,
)
from tests.integration.slack.conftest import a_face
from tests.integration.slack.test_commands import ask, said


def sent(services: FakeServices) -> list[tuple[str, str, str]]:
    assert services.care is not None
    return services.care.asked


@pytest.mark.parametrize(
    "typed",
    [
        "test ben@candidates.example",
        "test rita@agency.test ben@candidates.example",
        "test Rita@Agency.Test ben@candidates.example",
    ],
)
async def test_a_test_mail_goes_from_the_mailbox_to_another_address(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, typed: str
) -> None:
    services.mailboxes.mailboxes[0] = a_mailbox()
    answer = await ask(slack, typed)
    assert "Test mail sent from rita@agency.test to ben@candidates.example." in answer.text
    assert "250 2.0.0 OK queued" in said(answer)
    assert sent(services) == [("U0RITA", "mailbox-rita", "ben@candidates.example")]


@pytest.mark.parametrize("typed", ["test", "test rita@agency.test"])
async def test_without_a_second_address_the_choice_is_the_services(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, typed: str
) -> None:
    """Another connected mailbox, where it can be looked for; the answer says whether it arrived (R18)."""
    assert services.care is not None
    arrival = "It arrived in omar@agency.test, folder INBOX."
    services.care.result = MailOutcome(True, "omar@agency.test", arrival=arrival)
    services.mailboxes.mailboxes[0] = a_mailbox()
    answer = await ask(slack, typed)
    assert "Test mail sent from rita@agency.test to omar@agency.test." in answer.text
    assert arrival in said(answer)
    assert sent(services) == [("U0RITA", "mailbox-rita", "its own choice")]


@pytest.mark.parametrize("typed", ["test rita@agency.test rita@agency.test", "test rita@agency.test Rita@Agency.Test"])
async def test_never_to_the_same_address(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, typed: str
) -> None:
    """R18."""
    answer = await ask(slack, typed)
    assert "A test goes to another address: mail to itself proves nothing." in answer.text
    assert "/mailbox test rita@agency.test and an address elsewhere" in said(answer)
    assert sent(services) == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("test a@x.example b@x.example c@x.example", "Two addresses at most"),
        ("test everybody", "is not an e-mail address"),
        ("test nobody@agency.test ben@candidates.example", "No mailbox nobody@agency.test is connected here."),
    ],
)
async def test_what_cannot_be_tested_is_said(
    slack: SlackSandbox, face: SlackFace, services: FakeServices, typed: str, words: str
) -> None:
    assert words in said(await ask(slack, typed))
    assert sent(services) == []


async def test_a_test_mail_that_does_not_go_shows_why_and_what_to_do(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    assert services.care is not None
    title, raw, fix = "Sending by SMTP is switched off", "535 5.7.139 <!channel> disabled", "Ask your administrator."
    services.care.result = MailOutcome(False, "ben@candidates.example", title, raw, fix)
    answer = await ask(slack, "test ben@candidates.example")
    for words in (title, "535 5.7.139", fix):
        assert words in said(answer)
    assert "<!channel>" not in answer.text


async def test_escalate_opens_a_window_with_the_facts(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    services.settings.values = {"alert_channel": "C0ALERTS"}
    assert await slack.command("U0RITA", "C0GENERAL", "/mailbox", "escalate rita@agency.test") == {"ok": True}
    view = await slack.wait_view("U0RITA")
    assert "Server said: AUTHENTICATIONFAILED" in json.dumps(view.blocks)
    await slack.click_view("U0RITA", view.id, "escalation.post_mailbox")
    await slack.wait_message("C0ALERTS", lambda message: "asks for help" in message.text)


@pytest.mark.parametrize("typed", ["escalate", "test ben@candidates.example"])
async def test_what_is_not_offered_here_says_so(slack: SlackSandbox, services: FakeServices, typed: str) -> None:
    services.care = None
    face = a_face(slack, services)
    await face.start()
    await slack.wait_connected()
    assert "Rethread cannot" in (await ask(slack, typed)).text
    await face.stop()


async def test_the_log_tells_time_cause_words_and_fix(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R39."""
    services.mailboxes.entries = [
        SyncLogEntry("m", NOW, "credentials_rejected", "NO [AUTHENTICATIONFAILED] <!here>", "Press Reconnect."),
        SyncLogEntry("m", NOW, "never_heard_of", "NO what", "Look at the server's words."),
    ]
    answer = said(await ask(slack, "log"))
    for words in ("Password was changed or is wrong", "AUTHENTICATIONFAILED", "Press Reconnect.", "Cause not known"):
        assert words in answer
    services.mailboxes.entries = []
    assert "Recent errors: rita@agency.test: none." in (await ask(slack, "log")).text


async def test_an_admin_sees_the_seats_and_others_do_not(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R38."""
    services.settings.values = {"mailbox_limit": 5}
    assert "2 of 5 seats are taken" in said(await ask(slack, "status all", user="U0ADA"))
    assert "seats" not in said(await ask(slack, "status all"))


async def test_a_pending_mailbox_is_explained_to_its_owner(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R35."""
    services.settings.values = {"mailbox_limit": 1}
    services.mailboxes.mailboxes[0] = a_mailbox(status=MailboxStatus.PENDING)
    answer = said(await ask(slack, "status"))
    assert "the only seat of this workspace is taken. It starts by itself when somebody" in answer


async def test_reading_old_mail_shows_how_much_is_to_go(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R10, R11; on the Home tab as well."""
    assert services.readings is not None
    services.mailboxes.mailboxes[0] = a_mailbox(status=MailboxStatus.HISTORICAL)
    services.readings.known = {"mailbox-rita": Progress(history_left=12_300)}
    assert "about 12,300 mails to go" in said(await ask(slack, "status"))
    slack.open_home("U0RITA")
    await slack.wait_home("U0RITA", lambda view: "about 12,300 mails to go" in json.dumps(view.blocks))


@pytest.mark.parametrize(
    ("action", "status", "asked", "words"),
    [
        ("mailbox.refresh", MailboxStatus.ACTIVE, "refresh", "new mail is being read now"),
        ("mailbox.pause", MailboxStatus.ACTIVE, "pause", "paused; nothing is read or sent"),
        ("mailbox.resume", MailboxStatus.PAUSED, "resume", "resumed; connecting now"),
    ],
)
async def test_the_buttons_under_a_mailbox_do_what_the_commands_do(
    slack: SlackSandbox,
    face: SlackFace,
    services: FakeServices,
    action: str,
    status: MailboxStatus,
    asked: str,
    words: str,
) -> None:
    services.mailboxes.mailboxes[0] = a_mailbox(status=status)
    answer = await ask(slack, "status")
    before = len(slack.ephemerals("U0RITA"))
    assert await slack.click("U0RITA", "C0ALERTS", answer.ts, action) == {"ok": True}
    told = await slack.wait_for(lambda: next(iter(slack.ephemerals("U0RITA")[before:]), None))
    assert words in told.text
    assert services.mailboxes.asked == [(asked, "U0RITA", "mailbox-rita")]


@pytest.fixture
def discovery(services: FakeServices) -> FakeDiscovery:
    """Used by the face, because fixtures of a test are made in this order."""
    services.discovery = FakeDiscovery()
    return services.discovery


async def test_connect_names_the_provider_found_and_what_it_means(
    discovery: FakeDiscovery, slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """R54..R57."""
    warning = "The SPF record names Outlook, but the mail is at Google."
    discovery.found = Found(warnings=(warning,))
    answer = await ask(slack, "connect nora@agency.test")
    assert "agency.test is at Google: you sign in with Google; no password is typed." in said(answer)
    assert warning in said(answer)
    assert "address=nora%40agency.test" in said(answer)
    assert services.connecting.asked == [("ticket", "U0RITA", "new")]


@pytest.mark.parametrize("failure", [ConnectionLostError("gone", layer="dns"), RefusedError("no"), TimeoutError()])
async def test_where_nobody_can_say_the_link_is_given_all_the_same(
    discovery: FakeDiscovery, slack: SlackSandbox, face: SlackFace, failure: Exception
) -> None:
    discovery.failure = failure
    answer = await ask(slack, "connect nora@agency.test")
    assert "/connect/T0AGENCY.token-1" in said(answer)
    assert "never in Slack" in said(answer)


async def test_what_is_no_address_is_said_before_any_link_is_made(
    discovery: FakeDiscovery, slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    discovery.failure = InputError("'nora@' is not an e-mail address", field="address")
    assert "is not an e-mail address" in (await ask(slack, "connect nora@agency..test")).text
    assert services.connecting.asked == []


async def test_connecting_a_known_address_mends_it(
    discovery: FakeDiscovery, slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    answer = await ask(slack, "connect RITA@agency.test")
    assert "Reconnect rita@agency.test" in said(answer)
    assert "History and settings stay." in said(answer)
    assert services.connecting.asked == [("ticket", "U0RITA", "mailbox-rita")]
