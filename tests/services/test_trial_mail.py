"""Test mails: one leaves, nobody's campaign hears of it, and where it arrives in a mailbox of ours that is said."""

from __future__ import annotations

import email

import pytest

from core.errors import InputError, NotAllowedError, OutcomeUnknownError, RefusedError, ServerRefusedError
from core.services.alert_desk import AlertDesk
from core.services.care import MailboxCare
from core.services.credentials import CredentialService
from core.services.submission import Submission
from core.services.trial_mail import TrialMail
from tests.services.rig import ADA, OMAR, RITA, VERA, Rig, email_of

OMARS = "omar@agency.test"


def care_of(rig: Rig, *, look_for_s: float = 0.2) -> MailboxCare:
    submission = Submission(rig.transport, CredentialService(rig.tools, {}))
    trial = TrialMail(rig.tools, rig.connector, submission, look_for_s=look_for_s)
    versions = {"Rethread": "0"}
    return MailboxCare(rig.tools, trial, AlertDesk(rig.tools, rig.mailboxes, rig.prospects, versions), versions)


async def ritas(rig: Rig) -> str:
    await rig.open()
    return (await rig.mailboxes.find(ADA, "rita@agency.test")).id


def delivered_to(rig: Rig, folder: str) -> None:
    """What is sent lies in this folder of the other mailbox at once."""
    take = rig.provider.take

    def taken(raw: bytes) -> None:
        take(raw)
        rig.provider.arrive(raw, folder)

    rig.provider.take = taken  # type: ignore[method-assign]


async def test_a_test_says_what_it_is_and_where_the_server_took_it(rig: Rig) -> None:
    """To an address elsewhere, with the server's own words; nobody can look there."""
    result = await care_of(rig).send_test(RITA, await ritas(rig), "rita.private@elsewhere.example")
    assert (result.sent, result.arrived, result.raw) == (True, None, "250 2.0.0 Ok: queued")
    sent = email.message_from_bytes(rig.provider.accepted[0])
    assert sent["Message-ID"] == f"<{result.message_id}>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert "test mail from Rethread" in sent.get_payload(0).get_payload()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "to", ["rita@agency.test", " RITA@AGENCY.TEST ", "rita+test@agency.test"], ids=["same", "shouted", "tagged"]
)
async def test_never_to_itself(rig: Rig, to: str) -> None:
    """In whatever spelling (R18)."""
    mailbox = await ritas(rig)
    with pytest.raises(RefusedError, match="proves nothing"):
        await care_of(rig).send_test(RITA, mailbox, to)
    assert rig.provider.accepted == []


async def test_without_a_target_another_mailbox_is_taken(rig: Rig) -> None:
    """The same person's before anybody else's; where there is none, one is asked for."""
    mailbox, care = await ritas(rig), care_of(rig)
    with pytest.raises(RefusedError, match="no other connected mailbox"):
        await care.send_test(RITA, mailbox)
    await rig.connect(OMARS, OMAR)
    assert (await care.send_test(RITA, mailbox)).to == OMARS
    await rig.connect("jobs@agency.test", RITA)
    assert (await care.send_test(RITA, mailbox, "")).to == "jobs@agency.test"


async def test_what_is_no_address_is_refused(rig: Rig) -> None:
    with pytest.raises(InputError):
        await care_of(rig).send_test(RITA, await ritas(rig), "nowhere\r\nBcc: everybody@agency.test")


@pytest.mark.parametrize(("folder", "says"), [("INBOX", "folder INBOX."), ("Junk", "spam")])
async def test_arrival_in_a_mailbox_of_ours_is_told(rig: Rig, folder: str, says: str) -> None:
    """Also where it fell among the spam."""
    mailbox = await ritas(rig)
    await rig.connect(OMARS, OMAR)
    await rig.read_mail(OMARS)
    delivered_to(rig, folder)
    result = await care_of(rig).send_test(RITA, mailbox, OMARS)
    assert (result.arrived, result.arrived_in) == (True, folder)
    assert says in result.arrival
    assert all(client.closed for client in rig.connector.opened)


async def test_a_mail_that_does_not_arrive_in_time_is_told_too(rig: Rig) -> None:
    """It left, and that is all that is known."""
    mailbox = await ritas(rig)
    await rig.connect(OMARS, OMAR)
    result = await care_of(rig).send_test(RITA, mailbox, OMARS)
    assert (result.sent, result.arrived) == (True, False)
    assert "did not arrive in omar@agency.test within 0.2 s" in result.arrival


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ServerRefusedError("550 5.1.1 No such user", layer="smtp", smtp_code=550), "550 5.1.1 No such user"),
        (OutcomeUnknownError("the line went dead", layer="smtp"), "the line went dead"),
    ],
)
async def test_a_mail_that_did_not_leave_says_why(rig: Rig, error: Exception, says: str) -> None:
    """The server's words, a title and a fix."""
    mailbox = await ritas(rig)
    rig.provider.outcomes.append(error)  # type: ignore[arg-type]
    result = await care_of(rig).send_test(RITA, mailbox, "omar@elsewhere.example")
    assert (result.sent, result.raw) == (False, says)
    assert result.title
    assert result.fix
    assert result.diagnosis is not None


async def test_only_a_mailbox_that_sends_is_tried_and_only_by_whoever_may(rig: Rig) -> None:
    """Paused, switched off, somebody else's."""
    mailbox, care = await ritas(rig), care_of(rig)
    for actor in (OMAR, VERA):
        with pytest.raises(NotAllowedError):
            await care.send_test(actor, mailbox, "omar@elsewhere.example")
    await rig.mailboxes.set_switches(RITA, mailbox, send=False)
    with pytest.raises(RefusedError, match="switched off"):
        await care.send_test(RITA, mailbox, "omar@elsewhere.example")
    await rig.mailboxes.set_switches(RITA, mailbox, send=True)
    await rig.mailboxes.pause(RITA, mailbox)
    with pytest.raises(RefusedError, match="paused"):
        await care.send_test(RITA, mailbox, "omar@elsewhere.example")
    assert rig.provider.accepted == []


async def test_a_test_to_a_candidate_touches_no_stream_no_figure_and_no_limit(rig: Rig) -> None:
    """A test profile is a target like any other (R18, R225)."""
    mailbox = await ritas(rig)
    await rig.launch()
    before = await rig.mailboxes.find(ADA, "rita@agency.test")
    assert (await care_of(rig).send_test(RITA, mailbox, email_of(1))).sent
    delivered_to(rig, "INBOX")
    assert (await care_of(rig).send_test(RITA, mailbox, email_of(1))).sent
    await rig.read_mail()
    assert (await rig.people.show(ADA, email_of(1))).activities == []
    assert await rig.shows() == "Active 1"
    report = await rig.campaigns.status(ADA, "Autumn")
    assert [one.sent for one in report.stages if one.sent] == []
    assert (await rig.mailboxes.find(ADA, "rita@agency.test")).next_send_at == before.next_send_at


async def test_help_is_asked_for_also_where_no_fault_is_known(rig: Rig) -> None:
    """The facts of the mailbox, without an alert; with one, the alert's."""
    mailbox, care = await ritas(rig), care_of(rig)
    assert "knows of no fault" in (await care.escalate_mailbox(RITA, mailbox)).text
    with pytest.raises(NotAllowedError):
        await care.escalate_mailbox(OMAR, mailbox)
    await rig.mailboxes.request_resync(RITA, mailbox)
    error = ServerRefusedError("NO [AUTHENTICATIONFAILED] wrong", layer="imap")
    await rig.sync.failed("T1", mailbox, error)
    assert "AUTHENTICATIONFAILED" in (await care.escalate_mailbox(RITA, mailbox)).text
