"""What the gates ask of the database: addresses, limits, the host; and what becomes of a mail that meets one."""

from __future__ import annotations

from datetime import timedelta

from core.domain.delivery import Delivery
from core.errors import ServerRefusedError
from core.ports.storage import Suppression
from core.services.address_checks import AddressChecks
from core.services.address_lookups import AddressLookups
from core.services.campaign_edits import CampaignEdits
from core.services.cards import CardWriter
from core.services.credentials import CredentialService
from core.services.outreach import OutreachService
from core.services.progress import Progress
from core.services.sending_health import SendingHealth
from core.services.submission import Submission
from tests.services.rig import ADA, FILE, RITA, Rig, email_of

ROLE = "jobs@candidates.example"


class Names:
    """A resolver that knows which domains take mail."""

    def __init__(self, *domains: str) -> None:
        self.domains = domains
        self.asked: list[str] = []

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        self.asked.append(domain)
        return [(10, f"mx.{domain}")] if domain in self.domains else []

    async def txt(self, name: str) -> list[str]:
        del name
        return []

    async def addresses(self, host: str) -> list[str]:
        del host
        return []

    async def srv(self, name: str) -> list[tuple[str, int]]:
        del name
        return []


def validating(rig: Rig) -> None:
    """This process looks addresses up."""
    submission = Submission(rig.transport, CredentialService(rig.tools, {}))
    progress = Progress(rig.tools, CardWriter(rig.tools))
    sending = SendingHealth(rig.tools, submission, rig.alerts)
    rig.outreach = OutreachService(rig.tools, submission, progress, sending, started_at=rig.clock.now(), validates=True)


def refused(code: int, words: str) -> ServerRefusedError:
    return ServerRefusedError(words, layer="smtp", smtp_code=code)


async def only(rig: Rig) -> Delivery:
    (delivery,) = await rig.deliveries()
    return delivery


async def test_a_mail_waits_until_its_domain_was_looked_up_and_then_goes(rig: Rig) -> None:
    """R198: looked up once for everybody of that domain, and kept."""
    await rig.open()
    validating(rig)
    await rig.launch(3)
    names = Names("candidates.example")
    lookups = AddressLookups(rig.tools, AddressChecks(names))
    assert await rig.send_due() == 0
    assert await rig.shows() == "Pending 1 address_check"
    assert await lookups.look_up("T1") == 1
    assert await rig.shows() == "Active 1"
    assert await rig.send_due() == 3
    assert await lookups.look_up("T1") == 0
    assert names.asked == ["candidates.example"]


async def test_a_domain_without_mail_is_invalid_recipient_and_a_person_may_insist(rig: Rig) -> None:
    """R117, R143: refused with the words; a retry that passes validation by sends it."""
    await rig.open()
    validating(rig)
    await rig.launch()
    await rig.send_due()
    await AddressLookups(rig.tools, AddressChecks(Names())).look_up("T1")
    await rig.send_due()
    assert await rig.shows() == "Not Delivered 1 invalid_recipient"
    assert "no mail server" in (await rig.prospect()).reason.text  # type: ignore[union-attr]


async def risky(rig: Rig, header: str = "first_name,personal_email", row: str = f"P1,{ROLE}") -> None:
    """One prospect with a role address, whose first mail waits for a person."""
    await rig.open()
    validating(rig)
    await rig.people.import_csv(RITA, f"{header}\n{row}\n".encode())
    await rig.campaigns.import_file(RITA, FILE)
    await rig.campaigns.enroll(RITA, "Autumn", [ROLE])
    await rig.campaigns.start(RITA, "Autumn")
    assert await rig.claim() == []
    assert await shown(rig) == ("Pending", "risky_address")


async def shown(rig: Rig) -> tuple[str, str | None]:
    async with rig.store.read("T1") as uow:
        (row,) = await uow.reports.prospects((await uow.campaigns.list())[0].id)
    return row.status.value, row.reason_code


async def looked_up(rig: Rig) -> None:
    """The mail is asked again, and its new domain is looked up."""
    assert await rig.claim() == []
    assert await shown(rig) == ("Pending", "address_check")
    await AddressLookups(rig.tools, AddressChecks(Names("candidates.example"))).look_up("T1")


async def test_a_role_address_waits_for_a_person(rig: Rig) -> None:
    """R111: risky is Pending, whatever DNS says."""
    await risky(rig)


async def test_a_mail_to_a_risky_address_goes_once_another_address_is_the_one_to_write_to(rig: Rig) -> None:
    """The reason says to correct the address, so that has to end the wait."""
    await risky(rig, "first_name,work_email")
    await rig.people.import_csv(RITA, f"personal_email,work_email\n{email_of(1)},{ROLE}\n".encode())
    await looked_up(rig)
    assert await rig.send_due() == 1


async def test_a_mail_to_a_risky_address_goes_once_that_address_is_taken_away(rig: Rig) -> None:
    await risky(rig)
    await rig.people.add_address(RITA, ROLE, email_of(1), "personal")
    assert await rig.claim() == []
    await rig.people.remove_address(RITA, email_of(1), ROLE)
    await looked_up(rig)
    assert await rig.send_due() == 1


async def test_a_mail_to_a_risky_address_goes_once_the_campaign_writes_to_another_type(rig: Rig) -> None:
    await risky(rig, "first_name,personal_email,work_email", f"P1,{ROLE},{email_of(1)}")
    edits = CampaignEdits(rig.tools, Progress(rig.tools, CardWriter(rig.tools)))
    await edits.change_details(RITA, "Autumn", {"email_priority": ["work"]})
    await looked_up(rig)
    assert await rig.send_due() == 1


async def test_a_mail_to_a_risky_address_goes_once_validation_is_switched_off(rig: Rig) -> None:
    await risky(rig)
    await rig.settings.set(ADA, "validation", "off")
    assert await rig.send_due() == 1


async def test_validation_switched_off_holds_nobody_back(rig: Rig) -> None:
    await rig.open(validation="off")
    validating(rig)
    await rig.launch()
    assert await rig.send_due() == 1


async def test_nobody_on_the_do_not_contact_list_is_written_to(rig: Rig) -> None:
    """By address or by domain; the others' mails go."""
    await rig.open()
    await rig.launch(2)
    async with rig.store.write("T1") as uow:
        await uow.suppressions.put_many([Suppression(email_of(1), "asked", "U0ADA", rig.clock.now())])
    assert await rig.send_due() == 1
    assert await rig.shows(1) == "Not Delivered 1 suppressed"
    assert (await rig.states(2))[0] == "1.1 sent"


async def test_over_the_daily_limit_a_mail_fails_and_is_not_sent_by_itself(rig: Rig) -> None:
    """R121-R123: the first ones go, the rest are Not Delivered with Email Limit."""
    await rig.open(daily_email_limit=2)
    await rig.launch(3)
    assert await rig.send_due() == 2
    assert sorted([await rig.shows(number) for number in (1, 2, 3)])[-1] == "Not Delivered 1 email_limit"
    rig.clock.pass_time(days=1)
    assert "1.1 queued" not in [state for number in (1, 2, 3) for state in await rig.states(number)]


async def test_over_the_mailboxs_limit_a_mail_waits_and_goes_by_itself(rig: Rig) -> None:
    """R112: Pending with which limit it was, sent when there is room."""
    await rig.open(mailbox_daily=2)
    await rig.launch(3)
    assert await rig.send_due() == 2
    await rig.send_due()
    waiting = [number for number in (1, 2, 3) if await rig.states(number) == ["1.1 queued"]]
    (number,) = waiting
    assert await rig.shows(number) == "Pending 1 mailbox_limit"
    for _ in range(3):  # follow-ups, which come first, take the first days' places
        rig.clock.pass_time(hours=25)
        await rig.read_mail()
        await rig.send_due()
    assert (await rig.states(number))[0] == "1.1 sent"


async def test_what_did_not_go_out_gives_its_place_back(rig: Rig) -> None:
    """Refused for certain: the limit has room for somebody else."""
    await rig.open(daily_email_limit=1)
    await rig.launch(2)
    rig.provider.outcomes = [refused(552, "552 5.3.4 message too large")]
    (first, *_) = await rig.claim(limit=1)
    await rig.outreach.deliver(first)
    assert await rig.send_due() == 1
    assert len(rig.provider.accepted) == 1


async def test_the_hosts_own_limit_puts_the_mail_back_and_the_mailbox_rests(rig: Rig) -> None:
    """X12: Pending, not failed; it goes when the host allows it, under the same Message-ID."""
    await rig.open()
    await rig.launch()
    rig.provider.outcomes = [refused(550, "550 5.4.5 Daily user sending limit exceeded")]
    await rig.send_due()
    before = await only(rig)
    assert await rig.shows() == "Pending 1 provider_limit"
    assert (before.state.value, before.attempts) == ("queued", 0)
    assert await rig.send_due() == 0
    rig.clock.pass_time(hours=26)
    await rig.read_mail()
    assert await rig.send_due() == 1
    sent = (await rig.deliveries())[0]
    assert (sent.state.value, sent.message_id) == ("sent", before.message_id)


async def test_a_full_mailbox_is_tried_once_more_after_days(rig: Rig) -> None:
    """Two to three days later; full again, it fails."""
    await rig.open()
    await rig.launch()
    full = refused(552, "552 5.2.2 mailbox full")
    rig.provider.outcomes = [full, full]
    await rig.send_due()
    assert await rig.shows() == "Pending 1 mailbox_full"
    due = (await only(rig)).due_at
    assert due is not None
    assert timedelta(days=2) <= due - rig.clock.now() <= timedelta(days=3)
    rig.clock.pass_time(days=3)
    assert await rig.send_due() == 1
    assert await rig.shows() == "Not Delivered 1 mailbox_full"


async def test_the_id_that_the_recipient_got_is_learned_from_the_servers_answer(rig: Rig) -> None:
    """Microsoft puts its own in place of ours: follow-ups answer that one."""
    await rig.open()
    await rig.launch()
    (one,) = await rig.claim()
    words = "250 2.0.0 OK <AB0PR01@AB0PR01.prod.outlook.com> [Hostname=AB0PR01.namprd01.prod.outlook.com]"
    await rig.outreach._results.accepted(one, words)
    assert (await rig.deliveries())[0].wire_message_id == "AB0PR01@AB0PR01.prod.outlook.com"
