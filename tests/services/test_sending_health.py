"""A mailbox that is read and cannot send, and one that sends and cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from core.domain.account import Mailbox, MailboxStatus
from core.errors import LoginRefusedError, MailError, ServerRefusedError, UnreachableError
from core.ports.mail import Credentials, Endpoint, SendReceipt, Tls
from core.ports.storage import OutboxItem
from tests.fakes.mail import FakeTransport
from tests.services.held_session import held, log_lines, ritas
from tests.services.rig import FILE, RITA, SETTINGS, Rig, answer

REFUSED = LoginRefusedError("535 5.7.8 authentication failed", layer="smtp", host="mail.agency.test", smtp_code=535)
AWAY = UnreachableError("[Errno 111] Connection refused", layer="socket", host="mail.agency.test")
OFFICE = "outlook.office365.com"
IMAP_OFF = LoginRefusedError("NO IMAP is disabled for your domain by the administrator", layer="imap", host=OFFICE)
OUTLOOK = Endpoint(OFFICE, 993, Tls.SSL)


@dataclass
class Outgoing:
    """Rita's outgoing server says ``says`` to every login; None lets her in."""

    rig: Rig
    says: MailError | None = None

    def __post_init__(self) -> None:
        outgoing = self

        class Server(FakeTransport):
            async def send(
                self, endpoint: Endpoint, login: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
            ) -> SendReceipt:
                outgoing.check()
                return await super().send(endpoint, login, sender=sender, recipients=recipients, raw=raw)

            async def verify(self, endpoint: Endpoint, credentials: Credentials) -> None:
                self.verified += 1
                outgoing.check()

        self.server = Server(self.rig.provider)
        self.rig.transport = self.server
        self.rig.connecting._transport = self.server
        self.rig.restarted()

    def check(self) -> None:
        if self.says is not None:
            raise self.says


@pytest.fixture
def outgoing(rig: Rig) -> Outgoing:
    return Outgoing(rig)


async def broken(outgoing: Outgoing, people: int = 2) -> Rig:
    """A campaign's first mail is out, the second is refused at the login."""
    rig = outgoing.rig
    await rig.open(poll_sent_s=60, login_retry_s=1_800)
    await rig.launch(people)
    (first, *rest) = await rig.claim()
    await rig.outreach.deliver(first)
    outgoing.says = REFUSED
    for one in rest:
        await rig.outreach.deliver(one)
    return rig


async def card(rig: Rig) -> OutboxItem:
    return await rig.card("sync:")


async def test_a_refused_login_of_sending_is_told_once_while_reading_goes_on(outgoing: Outgoing) -> None:
    """Red, and the card says which side; later passes keep it red and say nothing more."""
    rig = await broken(outgoing)
    mailbox = await ritas(rig)
    assert (mailbox.light, mailbox.send_fault and mailbox.send_fault.cause) == ("red", "credentials_rejected")
    told = await card(rig)
    assert (told.facts["side"], told.facts["state"]) == ("sending", "broken")
    await rig.read_mail()
    await rig.read_mail()
    mailbox = await ritas(rig)
    assert (mailbox.light, mailbox.last_sync_at) == ("red", rig.clock.now())
    assert (await card(rig)).version == told.version
    assert (await log_lines(rig)).count("credentials_rejected") == 1


async def test_a_reply_stops_the_campaign_although_sending_is_broken(outgoing: Outgoing) -> None:
    rig = await broken(outgoing)
    number = 1 if b"person1@" in rig.provider.accepted[0] else 2
    rig.provider.arrive(answer(rig.provider.accepted[0], sender=f"person{number}@candidates.example"))
    await rig.read_mail()
    assert await rig.shows(number) == "Replied 2"


async def test_sending_is_tried_again_every_half_hour_and_when_asked(outgoing: Outgoing) -> None:
    """Not at every look."""
    rig = await broken(outgoing)
    async with held(rig) as session:
        tried = outgoing.server.verified
        await session.renew()
        assert outgoing.server.verified == tried
        await rig.mailboxes.request_resync(RITA, (await ritas(rig)).id)
        await session.looked()
        assert outgoing.server.verified == tried + 1
        assert (await card(rig)).facts["state"] == "broken"
        assert (await card(rig)).facts["cause"] == "credentials_rejected"
        await session.renew(after_s=1_700)
        assert outgoing.server.verified == tried + 1
        await session.renew(after_s=120)
        assert outgoing.server.verified == tried + 2


async def test_sending_that_works_again_is_told_on_the_same_card(outgoing: Outgoing) -> None:
    """With the stages that failed meanwhile."""
    rig = await broken(outgoing)
    outgoing.says = None
    rig.clock.pass_time(seconds=1_900)
    await rig.read_mail()
    mailbox = await ritas(rig)
    assert (mailbox.light, mailbox.fault, mailbox.send_fault) == ("green", None, None)
    told = await card(rig)
    assert (told.facts["state"], told.facts["failed_meanwhile"]) == ("recovered", 1)


async def test_a_network_fault_while_it_is_tried_again_proves_nothing(outgoing: Outgoing) -> None:
    """Neither that it works nor another cause."""
    rig = await broken(outgoing)
    outgoing.says = AWAY
    rig.clock.pass_time(seconds=1_900)
    await rig.read_mail()
    mailbox = await ritas(rig)
    assert (mailbox.light, mailbox.send_fault and mailbox.send_fault.cause) == ("red", "credentials_rejected")


async def test_a_network_fault_of_sending_breaks_nothing(outgoing: Outgoing) -> None:
    """The stage is tried again; the mailbox stays green."""
    rig = outgoing.rig
    await rig.open()
    await rig.launch()
    outgoing.says = AWAY
    await rig.send_due()
    assert (await ritas(rig)).light == "green"


async def test_what_is_found_out_while_sending_is_tried_is_kept(outgoing: Outgoing) -> None:
    """A send is refused at the very moment at which a session says that all is well."""
    rig = outgoing.rig
    await rig.open()
    await rig.launch()
    before = await ritas(rig)
    outgoing.says = REFUSED
    await rig.send_due()
    await rig.sync.current(before, read=0, whole=True, settled=True)
    assert (await ritas(rig)).light == "red"


async def test_a_wish_that_comes_while_a_session_says_how_it_is_gets_its_try(outgoing: Outgoing) -> None:
    """Resync is pressed between a session's look at the row and its word that sending is still broken."""
    rig = await broken(outgoing)
    seen_before = await ritas(rig)
    outgoing.says = None
    rig.clock.pass_time(seconds=5)
    await rig.mailboxes.request_resync(RITA, seen_before.id)
    await rig.sync.current(seen_before, read=0, whole=True, settled=True)
    assert (await card(rig)).facts["state"] == "resyncing"
    await rig.sync.current(await ritas(rig), read=0, whole=True, settled=True)
    assert (await card(rig)).facts["state"] == "recovered"


async def test_routine_breaks_do_not_give_up_reading_after_two_days_without_sending(outgoing: Outgoing) -> None:
    """R33 counts failures of reading; replies must still stop campaigns."""
    rig = await broken(outgoing)
    rig.clock.pass_time(days=3)
    await rig.read_mail()
    lost = MailError("Connection reset by peer", layer="socket", host="mail.agency.test")
    for _ in range(2):
        assert await rig.sync.failed("T1", (await ritas(rig)).id, lost) is not None
        assert (await ritas(rig)).status is MailboxStatus.ERROR


async def test_the_cause_of_a_refused_sign_in_stays_what_it_was(outgoing: Outgoing) -> None:
    """Judged by the sign-in service's words; on every later card too."""
    rig = outgoing.rig
    await rig.open()
    words = '{"error":"invalid_grant","error_description":"AADSTS50173: The provided grant has expired."}'
    async with rig.store.write("T1") as uow:
        await rig.sync.sending.broke(uow, (await ritas(rig)).id, LoginRefusedError(words, layer="oauth"))
    told = (await card(rig)).facts["cause"]
    await rig.mailboxes.request_resync(RITA, (await ritas(rig)).id)
    outgoing.says = LoginRefusedError(words, layer="oauth")
    await rig.read_mail()
    assert (await card(rig)).facts["cause"] == told
    assert told != "unknown"


async def test_a_fault_of_reading_keeps_its_place_beside_one_of_sending(outgoing: Outgoing) -> None:
    """A mailbox that is silent stays silent until an echo comes, however sending fares."""
    rig = outgoing.rig
    await rig.open()
    mailbox = await ritas(rig)
    await rig.sync.went_silent("T1", mailbox.id, "check mail of yesterday did not arrive within 40 minutes")
    async with rig.store.write("T1") as uow:
        await rig.sync.sending.broke(uow, mailbox.id, REFUSED)
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    mailbox = await ritas(rig)
    assert (mailbox.light, mailbox.fault and mailbox.fault.cause) == ("red", "silent_break")


# Reading refused, sending works (Microsoft)


async def half(rig: Rig) -> Mailbox:
    rig.provider.trouble = IMAP_OFF
    mailbox = await ritas(rig)
    with pytest.raises(LoginRefusedError) as ended:
        await rig.sync.run("T1", mailbox.id)
    await rig.sync.failed("T1", mailbox.id, ended.value)
    rig.provider.trouble = None
    return await ritas(rig)


@pytest.fixture
async def microsoft(outgoing: Outgoing) -> Outgoing:
    rig = outgoing.rig
    await rig.settings.seed("T1", SETTINGS)
    await rig.connect(imap=OUTLOOK, smtp=OUTLOOK)
    await rig.read_mail()
    return outgoing


async def test_a_microsoft_mailbox_that_sends_and_is_not_read_is_partial(microsoft: Outgoing) -> None:
    """R12, R126: grey; first stages go, follow-ups wait; Resync mends."""
    rig = microsoft.rig
    await rig.launch(1)
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    mailbox = await half(rig)
    assert (mailbox.status, mailbox.light) == (MailboxStatus.PARTIAL, "grey")
    assert await rig.send_due() == 0
    assert await rig.shows() == "Pending 2 sync_partial"
    await first_stage_of_another_campaign(rig)
    assert await rig.send_due() == 1
    await rig.mailboxes.request_resync(RITA, mailbox.id)
    await rig.read_mail()
    assert (await ritas(rig)).light == "green"
    assert await rig.send_due() == 1


async def first_stage_of_another_campaign(rig: Rig) -> None:
    await rig.people.import_csv(RITA, b"first_name,personal_email\nP2,person2@candidates.example\n")
    await rig.campaigns.import_file(RITA, FILE.replace("name: Autumn", "name: Spring"))
    await rig.campaigns.enroll(RITA, "Spring", ["person2@candidates.example"])
    await rig.campaigns.start(RITA, "Spring")


@pytest.mark.parametrize("says", [REFUSED, AWAY])
async def test_one_that_cannot_send_either_is_red(microsoft: Outgoing, says: MailError) -> None:
    microsoft.says = says
    assert (await half(microsoft.rig)).light == "red"


async def test_a_wrong_password_is_no_partial_sync(microsoft: Outgoing) -> None:
    """A person must act, whatever the other side says."""
    rig = microsoft.rig
    rig.provider.password = "another"
    mailbox = await ritas(rig)
    with pytest.raises(LoginRefusedError) as ended:
        await rig.sync.run("T1", mailbox.id)
    await rig.sync.failed("T1", mailbox.id, ended.value)
    assert (await ritas(rig)).light == "red"


async def test_other_providers_are_not_partial(outgoing: Outgoing) -> None:
    """R12 is of Microsoft's mailboxes."""
    rig = outgoing.rig
    await rig.open()
    assert (await half(rig)).light == "red"


async def test_verifying_says_whether_sending_works(outgoing: Outgoing) -> None:
    """A refusal of content is none of the login."""
    rig = outgoing.rig
    await rig.open()
    assert await rig.sync.sending.works(await ritas(rig))
    outgoing.says = ServerRefusedError("421 4.3.2 shutting down", layer="smtp", smtp_code=421)
    assert not await rig.sync.sending.works(await ritas(rig))
