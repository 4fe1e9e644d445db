"""One session: which folders it reads, what it asks for and how often, when it ends by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from core.domain.account import MailboxStatus
from core.errors import ConnectionLostError, FreshTokenRefusedError, LoginRefusedError, MailError, ServerRefusedError
from core.ports.mail import Credentials, Endpoint, Tls
from core.ports.mail import MailboxEvent as Push
from core.services.cards import CardWriter
from core.services.ingest import IngestService
from core.services.progress import Progress
from tests.fakes.mail import FakeConnector, FakeFolder, FakeProvider, FakeTransport
from tests.fakes.sign_in import FakeSignIn
from tests.services.held_session import RITAS, folder, held, log_lines, logged, ritas, written
from tests.services.rig import ADA, RITA, SETTINGS, Rig, answer, email_of, make_sync
from tests.stores import NOW

GMAIL = Endpoint("imap.gmail.com", 993, Tls.SSL)
CLOSED = ServerRefusedError("NO [NOPERM] Permission denied", layer="imap")
GMAIL_FOLDERS: Mapping[str, str | None] = {
    "INBOX": "inbox",
    "[Gmail]/All Mail": "all",
    "[Gmail]/Sent Mail": "sent",
    "[Gmail]/Spam": "junk",
    "[Gmail]/Drafts": "drafts",
    "[Gmail]/Trash": "trash",
    "Clients": None,
}


async def open_gmail(rig: Rig, *hidden: str, **settings: object) -> None:
    rig.provider.folders = {name: FakeFolder(role) for name, role in GMAIL_FOLDERS.items() if name not in hidden}
    await rig.settings.seed("T1", {**SETTINGS, **settings})
    await rig.connect(imap=GMAIL)
    await rig.read_mail()
    await rig.import_people(1)


async def open_idle(rig: Rig, **settings: object) -> None:
    """Looks around once a minute."""
    await rig.open(poll_sent_s=60, **settings)
    await rig.import_people(1)


def read_folders(rig: Rig) -> set[str]:
    return {name for name, _ in rig.provider.read}


# Folders


async def test_of_gmail_all_mail_and_spam_are_read_and_nothing_twice(rig: Rig) -> None:
    """One folder shows what came and what went."""
    await open_gmail(rig)
    for number, name in enumerate(GMAIL_FOLDERS):
        rig.provider.arrive(written(number), name)
    await rig.read_mail()
    assert read_folders(rig) == {"[Gmail]/All Mail", "[Gmail]/Spam"}


async def test_gmails_own_mark_tells_what_went_out_also_from_an_alias(rig: Rig) -> None:
    await open_gmail(rig)
    alias = written(1, sender="rita.recruits@elsewhere.example", to=email_of(1))
    rig.provider.arrive(alias, "[Gmail]/All Mail", {"\\Sent", "\\Important"})
    await rig.read_mail()
    (line,) = (await rig.people.show(ADA, email_of(1))).activities
    assert line.direction == "out"


async def test_a_draft_in_all_mail_is_nobodys_business(rig: Rig) -> None:
    """Nobody got it."""
    await open_gmail(rig)
    rig.provider.arrive(written(1, sender=RITAS, to=email_of(1)), "[Gmail]/All Mail", {"\\Draft"})
    await rig.read_mail()
    assert await logged(rig) == []


async def test_where_all_mail_is_hidden_the_inbox_and_sent_are_read_and_the_log_says_so_once(rig: Rig) -> None:
    """In every session anew, and also behind other lines."""
    await open_gmail(rig, "[Gmail]/All Mail")
    for number, name in enumerate(name for name in GMAIL_FOLDERS if "All Mail" not in name):
        rig.provider.arrive(written(number), name)
    await rig.read_mail()
    await rig.sync.failed("T1", (await ritas(rig)).id, ConnectionLostError("reset by peer", layer="imap"))
    await rig.read_mail()
    assert read_folders(rig) == {"INBOX", "[Gmail]/Sent Mail", "[Gmail]/Spam"}
    assert (await log_lines(rig)).count("all_mail_hidden") == 1


@pytest.mark.parametrize(
    ("further", "read"), [((), set()), (("clients", "None"), {"Clients"}), (("all",), {"Clients", "Old/2024"})]
)
async def test_further_folders_are_read_as_the_workspace_says(
    rig: Rig, further: tuple[str, ...], read: set[str]
) -> None:
    """R211: by name whatever its case, or all but those that hold nobody's answers; at once when it is changed."""
    for name, role in {"Clients": None, "Old/2024": None, "Drafts": "drafts", "Trash": "trash"}.items():
        rig.provider.folders[name] = FakeFolder(role)
    await open_idle(rig)
    async with held(rig) as session:
        await rig.settings.set(ADA, "further_folders", ",".join(further) or "none")
        await session.renew()
        for number, name in enumerate(("Clients", "Old/2024", "Drafts", "Trash")):
            rig.provider.arrive(written(number), name)
        await session.renew()
    assert read_folders(rig) == read


# Parking


async def test_a_folder_that_fails_three_times_rests_and_nothing_waits_for_it(rig: Rig) -> None:
    """Six hours, one line in the log; then it is tried again, and works."""
    await rig.open(poll_sent_s=60)
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    rig.provider.refuses = {"Junk": CLOSED}
    async with held(rig) as session:
        assert await rig.send_due() == 0  # an answer may lie where we cannot look
        await session.looked()  # the follow-up that waits asked for it, too soon for a second failure
        await session.renew()
        await session.renew()
        assert (await folder(rig, "Junk")).parked_until == rig.clock.now() + timedelta(hours=6)
        await session.renew()
        assert len([cause for cause in await log_lines(rig) if cause == "folder_no_permission"]) == 1
        assert await rig.send_due() == 1
        rig.provider.refuses = {}
        await session.renew(after_s=6 * 3_600)
        awake = await folder(rig, "Junk")
        assert (awake.parked_until, awake.error_count) == (None, 0)


async def test_two_failures_and_a_success_are_forgotten(rig: Rig) -> None:
    await open_idle(rig)
    rig.provider.refuses = {"Sent": CLOSED}
    async with held(rig) as session:
        await session.renew()
        rig.provider.refuses = {}
        await session.renew()
        assert (await folder(rig, "Sent")).error_count == 0


async def test_without_its_main_folder_nothing_goes_on(rig: Rig) -> None:
    await open_idle(rig)
    rig.provider.refuses = {"INBOX": CLOSED}
    with pytest.raises(ServerRefusedError, match="Permission denied"):
        await rig.sync.run("T1", (await ritas(rig)).id)


# Capture


async def test_with_capture_off_nothing_is_logged_and_on_again_only_what_comes_then(rig: Rig) -> None:
    """R80: the place is kept."""
    await open_idle(rig)
    mailbox = await ritas(rig)
    await rig.mailboxes.set_switches(RITA, mailbox.id, capture=False)
    async with held(rig) as session:
        rig.provider.arrive(written(1))
        await session.push()
        rig.provider.arrive(written(2), "Sent")
        await session.renew()
        await rig.mailboxes.set_switches(RITA, mailbox.id, capture=True)
        await session.looked()
        rig.provider.arrive(written(3))
        await session.push()
    assert await logged(rig) == ["w3@candidates.example"]


# Pace


async def test_a_server_that_does_not_push_is_asked_each_minute(rig: Rig) -> None:
    """Found unpushed twice; one line in the log, also when it goes on."""
    await rig.open(poll_sent_s=3_600)
    async with held(rig) as session:
        assert rig.provider.paces[-1] > 60
        for number in range(4):
            rig.provider.arrive(written(number))
            await session.renew(after_s=3_700)
        assert rig.provider.paces[-1] == 60
    assert (await log_lines(rig)).count("idle_deaf") == 1


async def test_mail_that_was_pushed_is_no_sign_of_deafness(rig: Rig) -> None:
    await rig.open(poll_sent_s=3_600)
    async with held(rig) as session:
        for number in range(4):
            rig.provider.arrive(written(number))
            await session.push(after_s=60)
        assert rig.provider.paces[-1] > 60


async def test_a_sign_of_life_is_asked_for_more_often_than_its_absence_is_borne(rig: Rig) -> None:
    """Whatever the other settings say."""
    await rig.open(poll_sent_s=3_600, idle_renew_s=1_700, stuck_after_s=100)
    async with held(rig):
        assert rig.provider.paces[-1] == 50


async def test_folders_are_listed_anew_when_asked_and_once_a_day(rig: Rig) -> None:
    """R24, R31, R32: the day begins with the last refresh."""
    await open_idle(rig)
    async with held(rig) as session:
        before = rig.provider.listed
        await session.renew()
        await session.renew()
        assert rig.provider.listed == before
        await session.renew(after_s=12 * 3_600)
        await rig.mailboxes.refresh(RITA, (await ritas(rig)).id)
        await session.looked()
        assert rig.provider.listed == before + 1
        assert (await ritas(rig)).refreshed_at == rig.clock.now()
        await session.renew(after_s=13 * 3_600)
        assert rig.provider.listed == before + 1
        await session.renew(after_s=11 * 3_600)
        assert rig.provider.listed == before + 2


async def test_a_renamed_folder_is_not_waited_for(rig: Rig) -> None:
    """What the server does not list any more is read by nobody."""
    await rig.open(poll_sent_s=60)
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(hours=1)
    rig.provider.folders["Spam"] = rig.provider.folders.pop("Junk")
    await rig.read_mail()
    assert ((await folder(rig, "Junk")).role, (await folder(rig, "Spam")).role) == ("unwatched", "junk")
    assert await rig.send_due() == 1


async def test_a_colleague_who_connects_is_known_to_sessions_that_stand(rig: Rig) -> None:
    """R73: mail among colleagues; without a new session."""
    await open_idle(rig, internal_mail="skip")
    await rig.people.import_csv(RITA, b"first_name,work_email\nO,omar@team.example\n")
    async with held(rig) as session:
        await rig.connect("omar@team.example", ADA, owner="U0OMAR")
        rig.provider.arrive(written(1, sender="omar@team.example"))
        await session.renew()
    assert (await rig.people.show(ADA, "omar@team.example")).activities == []


# Tokens


@dataclass
class TokenProvider(FakeProvider):
    """Opens to the access tokens that it knows."""

    tokens: frozenset[str] = frozenset({"access-0"})

    def check(self, credentials: Credentials) -> None:
        if credentials.access_token not in self.tokens:
            self.refused += 1
            raise LoginRefusedError("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", layer="imap")


class Google:
    """Rita's mailbox at a provider where she signed in; the token at hand is access-0 and lives for an hour."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.provider = TokenProvider(rig.clock.now)
        self.sign_in = FakeSignIn(rig.clock.now)
        rig.provider, rig.connector, rig.transport = (
            self.provider,
            FakeConnector(self.provider),
            FakeTransport(self.provider),
        )
        rig.connecting._connector, rig.connecting._transport = rig.connector, rig.transport
        progress = Progress(rig.tools, CardWriter(rig.tools))
        ingest = IngestService(rig.tools, progress, rig.outreach)
        rig.sync = make_sync(rig.tools, rig.connector, rig.transport, ingest, rig.alerts, {"google": self.sign_in})

    async def open(self, life: timedelta = timedelta(hours=1)) -> None:
        tokens = Credentials(RITAS, "", "access-0", "refresh-0", NOW + life)
        await self.rig.settings.seed("T1", {**SETTINGS, "poll_sent_s": 3_600})
        await self.rig.connect(sign_in="google", tokens=tokens, imap=GMAIL, smtp=GMAIL)

    async def run(self) -> None:
        await self.rig.sync.run("T1", (await ritas(self.rig)).id)

    async def judged(self) -> MailError:
        """The error of the next session, as the worker hands it on."""
        mailbox = await ritas(self.rig)
        with pytest.raises(MailError) as ended:
            await self.run()
        await self.rig.sync.failed("T1", mailbox.id, ended.value)
        return ended.value


@pytest.fixture
def google(rig: Rig) -> Google:
    return Google(rig)


async def test_a_session_ends_by_itself_ahead_of_its_tokens_end(google: Google) -> None:
    """It waits no longer than until then; the next one takes a fresh token."""
    await google.open()
    google.provider.tokens |= {"access-1"}
    async with held(google.rig) as session:
        await session.renew(after_s=50 * 60)
        assert google.provider.paces[-1] == pytest.approx(6 * 60)
        session.let_go(after_s=6 * 60)
        await session.ended()
    async with held(google.rig):
        assert google.sign_in.refreshed == ["refresh-0"]


async def test_a_token_renewed_for_sending_does_not_keep_a_session_beyond_its_own(google: Google) -> None:
    """The server knows this connection by the token that it logged in with."""
    await google.open()
    async with held(google.rig) as session:
        async with google.rig.store.write("T1") as uow:
            await uow.mailboxes.note_token((await ritas(google.rig)).id, expires_at=NOW + timedelta(hours=3))
        session.let_go(Push.CHANGED, after_s=57 * 60)
        await session.ended()


async def test_a_fresh_token_is_good_for_a_whole_session(google: Google) -> None:
    """Renewed at login because the one before had ended: its margin is that of an hour, not of what was left."""
    await google.open()
    google.provider.tokens |= {"access-1"}
    google.rig.clock.pass_time(hours=2)
    async with held(google.rig) as session:
        await session.renew(after_s=50 * 60)
        session.let_go(after_s=6 * 60)
        await session.ended()


async def test_tokens_of_a_minute_do_not_make_sessions_chase_each_other(google: Google) -> None:
    await google.open(timedelta(minutes=1))
    google.sign_in.life = timedelta(minutes=1)
    google.provider.tokens |= {f"access-{number}" for number in range(9)}
    for _ in range(3):
        began = google.rig.clock.now()
        async with held(google.rig) as session:
            while not session.task.done() and google.rig.clock.now() - began < timedelta(minutes=2):
                session.let_go(after_s=5)
                await google.rig.store.wait("test", 0.05)
        assert google.rig.clock.now() - began >= timedelta(seconds=20)
    assert len(google.sign_in.refreshed) <= 3


async def test_a_token_that_is_over_at_once_has_no_planned_end(google: Google) -> None:
    """The server ends such a session, and trying again has its pauses."""
    await google.open(timedelta(seconds=0))
    google.sign_in.life = timedelta(seconds=0)
    google.provider.tokens |= {"access-1"}
    async with held(google.rig) as session:
        await session.renew()
    assert len(google.sign_in.refreshed) == 1


async def test_a_refused_token_is_renewed_once(google: Google) -> None:
    """R2: only the second refusal needs a person."""
    await google.open()
    google.provider.tokens = frozenset({"access-1"})
    async with held(google.rig):
        assert (google.provider.refused, google.sign_in.refreshed) == (1, ["refresh-0"])
        assert (await ritas(google.rig)).light == "green"


async def test_a_fresh_token_that_is_refused_means_that_imap_is_off(google: Google) -> None:
    """With text that the administrator can be sent."""
    await google.open()
    google.provider.tokens = frozenset()
    assert isinstance(await google.judged(), FreshTokenRefusedError)
    broken = await ritas(google.rig)
    assert (broken.status, broken.fault and broken.fault.cause) == (MailboxStatus.ERROR, "imap_disabled")
    (card,) = await google.rig.cards("sync:")
    assert card.facts["forward"]


async def test_a_sign_in_that_is_over_is_told_at_once(google: Google) -> None:
    """The mail server is not asked with a token that nobody renews."""
    await google.open()
    google.rig.clock.pass_time(hours=2)
    words = '{"error":"invalid_grant","error_description":"Token has been expired or revoked."}'
    google.sign_in.trouble = LoginRefusedError(words, layer="oauth", host="oauth2.googleapis.com")
    await google.judged()
    broken = await ritas(google.rig)
    assert (broken.light, google.provider.refused) == ("red", 0)
    assert broken.fault is not None
    assert broken.fault.cause.startswith("refresh_token")


async def test_a_resync_takes_a_new_token(google: Google) -> None:
    """What was cached of a refusal must not answer whoever has just mended it."""
    await google.open()
    google.provider.tokens |= {"access-1"}
    await google.rig.mailboxes.request_resync(RITA, (await ritas(google.rig)).id)
    async with held(google.rig):
        assert google.sign_in.refreshed == ["refresh-0"]


async def test_replies_are_read_in_every_session(rig: Rig) -> None:
    """The campaign stops, whichever session finds the answer: pushed, or looked for."""
    await rig.open(poll_sent_s=60)
    await rig.launch(2)
    await rig.send_due()
    async with held(rig) as session:
        for number, found in ((1, session.push), (2, session.renew)):
            raw = next(one for one in rig.provider.accepted if email_of(number).encode() in one)
            rig.provider.arrive(answer(raw, sender=email_of(number), number=number))
            await found()
            assert await rig.shows(number) == "Replied 2"


def test_a_provider_of_tokens_differs_from_one_of_passwords() -> None:
    """The fake itself: a password opens nothing here."""
    provider = TokenProvider(lambda: NOW)
    provider.check(Credentials(RITAS, access_token="access-0"))
    with pytest.raises(LoginRefusedError):
        provider.check(replace(Credentials(RITAS, "the right password")))


# How often


async def test_gmail_is_asked_no_more_often_than_every_ten_minutes_and_others_sooner(rig: Rig) -> None:
    """Between pushes only the renewal of the open connection speaks, every nine minutes (R70, R215)."""
    await rig.open()
    assert rig.provider.paces[0] == 90
    rig.provider.paces.clear()
    mailbox = await ritas(rig)
    async with rig.store.write("T1") as uow:
        await uow.mailboxes.save(replace(mailbox, provider="google"))
    await rig.read_mail()
    assert rig.provider.paces[0] == 540


# Ending again and again


async def sessions(rig: Rig, minutes: int) -> int:
    """Session after session, as the worker would hold them; how many there were in these minutes."""
    end, count = rig.clock.now() + timedelta(minutes=minutes), 0
    while rig.clock.now() < end:
        count += 1
        with pytest.raises(MailError) as ended:
            await rig.sync.run("T1", (await ritas(rig)).id)
        retry_at = await rig.sync.failed("T1", (await ritas(rig)).id, ended.value)
        assert retry_at is not None
        rig.clock.pass_time(seconds=max(0.0, (retry_at - rig.clock.now()).total_seconds()))
    return count


async def test_a_server_that_ends_every_session_at_its_first_wait_is_asked_ever_more_seldom_and_told(rig: Rig) -> None:
    """Mail is read each time, so nothing is lost; but a login every two seconds is what providers lock accounts for."""
    await rig.open()
    rig.provider.rests = False
    assert await sessions(rig, 15) <= 20
    assert (await ritas(rig)).status is MailboxStatus.ERROR
    assert (await rig.card("sync:")).facts["state"] == "broken"


async def test_what_fails_again_and_again_is_mended_when_a_session_outlives_its_first_wait(rig: Rig) -> None:
    await rig.open()
    rig.provider.rests = False
    await sessions(rig, 15)
    await rig.read_mail()
    assert (await ritas(rig)).status is MailboxStatus.ERROR
    rig.provider.rests = True
    await rig.read_mail()
    assert (await ritas(rig)).status is MailboxStatus.ACTIVE
    assert (await rig.card("sync:")).facts["state"] == "recovered"


async def test_a_resync_gets_its_answer_from_the_first_reading(rig: Rig) -> None:
    """Whoever asked does not wait for a wait."""
    await rig.open()
    rig.provider.rests = False
    await sessions(rig, 15)
    await rig.mailboxes.request_resync(RITA, (await ritas(rig)).id)
    await rig.read_mail()
    assert (await rig.card("sync:")).facts["state"] == "recovered"


async def test_a_wish_that_another_process_wrote_down_is_seen_at_the_next_look(rig: Rig) -> None:
    """Its wake-up may have been lost on the way."""
    await rig.open()
    mailbox = await ritas(rig)
    async with rig.store.write("T1") as uow:
        await uow.mailboxes.save(replace(mailbox, resync_requested_at=rig.clock.now(), resync_requested_by="U0RITA"))
    await rig.read_mail()
    assert (await ritas(rig)).resync_requested_at is None
