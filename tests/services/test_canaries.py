"""Check mails between a team's mailboxes, from the first to the card that tells of a silent break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from core.domain.account import Mailbox, MailboxStatus
from core.errors import ConnectionLostError, LoginRefusedError, MailError, UnreachableError
from core.ports.mail import Credentials, Endpoint, SendReceipt
from core.ports.storage import Canary
from core.services.canaries import LONGEST_PACE, CanaryService
from core.services.credentials import CredentialService
from core.services.submission import Submission
from tests.fakes.mail import FakeClient, FakeConnector, FakeProvider, FakeTransport
from tests.services.rig import ADA, RITA, SETTINGS, Rig

EVERY, PATIENCE = 3_600, 1_200
TEAM = ("rita@agency.test", "omar@agency.test", "vera@agency.test")
LOST = ConnectionLostError("Connection reset by peer", layer="imap", host="mail.agency.test")


@dataclass
class Post:
    """Every mailbox has a provider of its own; ``swallows`` loses what is sent to these, without a word."""

    rig: Rig
    boxes: dict[str, FakeProvider] = field(default_factory=dict)
    swallows: set[str] = field(default_factory=set)
    says: MailError | None = None
    sent: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        post, rig = self, self.rig
        self.boxes = {address: FakeProvider(rig.clock.now) for address in TEAM}

        class Connector(FakeConnector):
            async def connect(self, endpoint: Endpoint, credentials: Credentials) -> FakeClient:
                box = post.boxes[credentials.username]
                box.check(credentials)
                return FakeClient(box)

        class Transport(FakeTransport):
            async def send(
                self,
                endpoint: Endpoint,
                credentials: Credentials,
                *,
                sender: str,
                recipients: Sequence[str],
                raw: bytes,
            ) -> SendReceipt:
                post.sent.append((sender, recipients[0]))
                if post.says is not None:
                    raise post.says
                post.boxes[sender].take(raw)
                if recipients[0] not in post.swallows:
                    post.boxes[recipients[0]].arrive(raw)
                return SendReceipt("250 2.0.0 Ok")

        rig.connector, rig.transport = Connector(rig.provider), Transport(rig.provider)
        rig.connecting._connector, rig.connecting._transport = rig.connector, rig.transport
        rig.restarted()
        self.submission = Submission(rig.transport, CredentialService(rig.tools, {}))
        self.canaries = CanaryService(rig.tools, self.submission, rig.sync)

    async def open(self, *addresses: str, every: int = EVERY) -> None:
        await self.rig.settings.seed("T1", {**SETTINGS, "canary_every_s": every, "canary_patience_s": PATIENCE})
        for address in addresses or TEAM:
            await self.rig.connect(address, ADA, owner="U0RITA")
            await self.rig.read_mail(address)

    async def look(self) -> float:
        return await self.canaries.run_once("T1")

    async def mailbox(self, address: str = TEAM[1]) -> Mailbox:
        return await self.rig.mailboxes.find(ADA, address)

    async def latest(self, sender: str = TEAM[0]) -> Canary | None:
        async with self.rig.store.read("T1") as uow:
            return await uow.canaries.latest((await self.mailbox(sender)).id)

    async def asked(self, address: str = TEAM[1]) -> bool:
        """Whether this mailbox's session was asked for a look; asking is answered by this."""
        return await self.rig.store.wait(f"sync:{(await self.mailbox(address)).id}", 0)

    async def goes_silent(self) -> None:
        """Omar's mailbox swallows what is sent to it; all others read what comes."""
        self.swallows = {TEAM[1]}
        await self.look()
        for _ in range(2):
            self.rig.clock.pass_time(seconds=PATIENCE + 1)
            await self.look()
            for address in TEAM:
                await self.rig.read_mail(address)
        await self.look()


@pytest.fixture
def post(rig: Rig) -> Post:
    return Post(rig)


async def test_every_mailbox_writes_to_the_next_and_the_echo_settles_it(post: Post) -> None:
    """X6: a ring, each tried in both directions; once per period."""
    await post.open()
    assert await post.look() <= PATIENCE / 4
    assert post.sent == [(TEAM[0], TEAM[1]), (TEAM[1], TEAM[2]), (TEAM[2], TEAM[0])]
    for address in TEAM:
        await post.rig.read_mail(address)
    for address in TEAM:
        canary = await post.latest(address)
        assert canary is not None
        assert canary.seen_at == post.rig.clock.now()
    post.rig.clock.pass_time(seconds=EVERY - 1)
    await post.look()
    assert len(post.sent) == 3
    post.rig.clock.pass_time(seconds=1)
    await post.look()
    assert len(post.sent) == 6
    assert [(await post.mailbox(address)).light for address in TEAM] == ["green"] * 3


async def test_the_row_is_there_before_the_mail_leaves(post: Post) -> None:
    """An echo may be read before the server's answer is."""
    await post.open()
    seen = []

    async def at_send() -> None:
        seen.append(await post.latest())

    original = post.submission.send

    async def send(mailbox: Mailbox, credentials: Credentials, recipient: str, raw: bytes) -> SendReceipt:
        await at_send()
        return await original(mailbox, credentials, recipient, raw)

    post.submission.send = send  # type: ignore[method-assign]
    await post.look()
    assert seen[0] is not None
    assert seen[0].seen_at is None


async def test_an_overdue_echo_is_looked_for_first_and_then_told_on_the_receiver(post: Post) -> None:
    """R4: one look, not one each time; the sender is well."""
    await post.open()
    post.swallows = {TEAM[1]}
    await post.look()
    for address in TEAM:
        await post.asked(address)
    post.rig.clock.pass_time(seconds=PATIENCE + 1)
    await post.look()
    assert await post.asked()
    for address in TEAM:
        await post.rig.read_mail(address)
    await post.look()
    assert not await post.asked()
    assert (await post.mailbox()).light == "green"
    post.rig.clock.pass_time(seconds=PATIENCE)
    await post.look()
    broken = await post.mailbox()
    assert (broken.light, broken.fault and broken.fault.cause) == ("red", "silent_break")
    assert (await post.rig.card("sync:")).facts["address"] == TEAM[1]
    assert [(await post.mailbox(address)).light for address in (TEAM[0], TEAM[2])] == ["green", "green"]


async def test_it_stays_red_until_an_echo_arrives(post: Post) -> None:
    """Passes that go well prove nothing; the next check mail does, also one that comes late."""
    await post.open()
    await post.goes_silent()
    assert (await post.mailbox()).light == "red"
    for _ in range(3):
        post.rig.clock.pass_time(minutes=5)
        await post.rig.read_mail(TEAM[1])
        assert (await post.mailbox()).light == "red"
    late = post.boxes[TEAM[0]].accepted[0]
    post.boxes[TEAM[1]].arrive(late)
    await post.rig.read_mail(TEAM[1])
    assert (await post.mailbox()).light == "green"
    assert (await post.rig.card("sync:")).facts["state"] == "recovered"


async def test_it_goes_on_being_tried_so_that_the_next_check_mail_can_mend_it(post: Post) -> None:
    await post.open()
    await post.goes_silent()
    post.swallows = set()
    post.rig.clock.pass_time(seconds=EVERY)
    await post.look()
    await post.rig.read_mail(TEAM[1])
    assert (await post.mailbox()).light == "green"


async def test_a_person_who_presses_resync_is_believed(post: Post) -> None:
    """They looked into the mailbox themselves."""
    await post.open()
    await post.goes_silent()
    await post.rig.mailboxes.request_resync(RITA, (await post.mailbox()).id)
    await post.rig.read_mail(TEAM[1])
    assert (await post.mailbox()).light == "green"


async def test_routine_breaks_of_a_silent_mailbox_do_not_give_it_up(post: Post) -> None:
    """After two days and more the session may end as ever, and is tried again."""
    await post.open()
    await post.goes_silent()
    post.rig.clock.pass_time(days=3)
    await post.rig.read_mail(TEAM[1])
    for _ in range(2):
        assert await post.rig.sync.failed("T1", (await post.mailbox()).id, LOST) is not None
        post.rig.clock.pass_time(hours=1)
        await post.rig.read_mail(TEAM[1])
    broken = await post.mailbox()
    assert (broken.status, broken.fault and broken.fault.cause) == (MailboxStatus.ERROR, "silent_break")


async def test_a_process_that_was_down_looks_before_it_tells(post: Post) -> None:
    """The echo lies there unread: no false alarm."""
    await post.open()
    await post.look()
    post.rig.clock.pass_time(hours=5)
    await post.look()
    assert (await post.mailbox()).light == "green"
    assert await post.asked()
    for address in TEAM:
        await post.rig.read_mail(address)
    await post.look()
    assert [(await post.mailbox(address)).light for address in TEAM] == ["green"] * 3


async def test_a_mailbox_known_to_be_broken_is_neither_asked_nor_told_again(post: Post) -> None:
    """A refused password must not be tried at each look: that locks accounts."""
    await post.open()
    post.swallows = {TEAM[1]}
    await post.look()
    omar = await post.mailbox()
    await post.rig.sync.failed("T1", omar.id, LoginRefusedError("[AUTHENTICATIONFAILED] no", layer="imap"))
    await post.asked()
    for _ in range(3):
        post.rig.clock.pass_time(seconds=PATIENCE + 1)
        await post.look()
        assert not await post.asked()
    broken = await post.mailbox()
    assert broken.fault is not None
    assert broken.fault.cause == "credentials_rejected"


async def test_while_the_server_is_away_nothing_is_concluded(post: Post) -> None:
    """The light is still green: patience is not over. When it is back, the echo is read."""
    await post.open()
    await post.look()
    omar = await post.mailbox()
    post.rig.clock.pass_time(seconds=PATIENCE * 3)
    await post.rig.sync.failed("T1", omar.id, LOST)
    await post.asked()
    await post.look()
    assert not await post.asked()
    assert (await post.mailbox()).light == "green"
    await post.rig.read_mail(TEAM[1])
    await post.look()
    assert (await post.mailbox()).light == "green"


@pytest.mark.parametrize("addresses", [TEAM[:1], TEAM[:2]])
async def test_with_a_single_mailbox_there_is_nobody_to_write_to(post: Post, addresses: tuple[str, ...]) -> None:
    await post.open(*addresses)
    await post.look()
    assert len(post.sent) == (0 if len(addresses) == 1 else 2)


async def test_a_check_mail_that_does_not_leave_tells_nothing_of_the_receiver(post: Post) -> None:
    """Nor of the sender, where only the network was away; it is not sent again before its time."""
    await post.open()
    post.says = UnreachableError("Connection refused", layer="socket", host="mail.agency.test")
    await post.look()
    post.rig.clock.pass_time(seconds=PATIENCE * 2 + 1)
    await post.look()
    assert len(post.sent) == 3
    assert [(await post.mailbox(address)).light for address in TEAM] == ["green"] * 3


async def test_a_check_mail_that_is_refused_at_the_login_breaks_the_senders_mailbox(post: Post) -> None:
    await post.open()
    post.says = LoginRefusedError("535 5.7.8 authentication failed", layer="smtp", smtp_code=535)
    await post.look()
    broken = await post.mailbox(TEAM[0])
    assert (broken.light, broken.send_fault and broken.send_fault.cause) == ("red", "credentials_rejected")


async def test_check_mails_stand_on_no_stream_and_answer_nothing(post: Post) -> None:
    """Though colleagues have profiles and mail between them is logged."""
    await post.open()
    await post.rig.settings.set(ADA, "internal_mail", "log")
    lines = "".join(f"P,{address}\n" for address in TEAM)
    await post.rig.people.import_csv(RITA, f"first_name,work_email\n{lines}".encode())
    await post.look()
    for address in TEAM:
        await post.rig.read_mail(address)
    for address in TEAM:
        assert (await post.rig.people.show(ADA, address)).activities == []


async def test_switched_off_it_costs_one_look_at_the_settings(post: Post) -> None:
    """As it is by default: no mail, no question about mailboxes or echoes."""
    await post.open(every=0)
    assert await post.look() == LONGEST_PACE
    assert post.sent == []


async def test_switched_off_amid_it_all_nothing_is_told(post: Post) -> None:
    await post.open()
    post.swallows = {TEAM[1]}
    await post.look()
    await post.rig.settings.set(ADA, "canary_every_s", "0")
    post.rig.clock.pass_time(seconds=PATIENCE * 3)
    await post.rig.read_mail(TEAM[1])
    await post.look()
    assert (await post.mailbox()).light == "green"


async def test_only_mailboxes_that_work_both_ways_take_part(post: Post) -> None:
    """Neither a paused one nor one that does not send or is not read."""
    await post.open()
    await post.rig.mailboxes.set_switches(ADA, (await post.mailbox(TEAM[2])).id, send=False)
    await post.look()
    assert post.sent == [(TEAM[0], TEAM[1]), (TEAM[1], TEAM[0])]
    post.rig.clock.pass_time(seconds=EVERY)
    await post.rig.mailboxes.pause(ADA, (await post.mailbox(TEAM[1])).id)
    await post.look()
    assert len(post.sent) == 2
