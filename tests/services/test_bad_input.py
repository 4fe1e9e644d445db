"""Bad input, each with a reason that has a name, and none stops the others."""

from __future__ import annotations

import asyncio
import resource
import time
from datetime import UTC, datetime

import pytest

from core.domain.campaign import CampaignStatus
from core.errors import OutcomeUnknownError, ServerRefusedError
from core.services.campaigns import CampaignFileError
from tests.fakes.turns import one_turn
from tests.services.rig import ADA, CAMPAIGN, FILE, RITA, Rig, email_of

ROWS = 100_000
SECONDS_OF_PROCESSOR = 90
MOST_KIB = 600 * 1024
LOST = OutcomeUnknownError("connection closed after the last byte", layer="smtp")


def no_such_user() -> ServerRefusedError:
    return ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("    body: Hi {{first_name", "body"),
        ("    bodie: Hi {{first_name}}", "bodie"),
        ("    body: [Hi, you]", "body"),
    ],
)
async def test_a_broken_template_is_told_by_line_and_field_and_the_next_file_is_read(
    rig: Rig, line: str, told: str
) -> None:
    """At import, before anybody is written to."""
    await rig.open()
    with pytest.raises(CampaignFileError) as refused:
        await rig.campaigns.import_file(RITA, FILE.replace("    body: Hi {{first_name}}", line))
    assert told in str(refused.value)
    assert "line 7" in str(refused.value) or "line 6" in str(refused.value)
    assert (await rig.campaigns.import_file(RITA, FILE)).status is CampaignStatus.DRAFT


async def test_whoever_lacks_a_field_waits_and_the_others_go(rig: Rig) -> None:
    """R128: Pending with the field's name; it goes once somebody gives a value."""
    await rig.open()
    table = f"first_name,personal_email,shoe_size\nP1,{email_of(1)},\nP2,{email_of(2)},42\n"
    await rig.people.import_csv(RITA, table.encode())
    await rig.campaigns.import_file(RITA, FILE.replace("Hi {{first_name}}", "Size {{shoe_size}}?"))
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1), email_of(2)])
    await rig.campaigns.start(RITA, CAMPAIGN)
    assert await rig.send_due() == 1
    assert await rig.shows(1) == "Pending 1 missing_variable"
    assert await rig.shows(2) == "Active 2"
    prospect = await rig.prospect(1)
    assert prospect.reason is not None
    assert "shoe_size" in prospect.reason.text


async def test_a_hundred_thousand_rows_are_imported_while_others_are_served(rig: Rig) -> None:
    """Bounded in time and memory, and nobody waits for it: a mail goes while the table is being read."""
    await rig.open()
    await rig.launch(1)
    lines = "".join(f"N{n},crowd{n}@many.example\n" for n in range(ROWS))
    began, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    importing = asyncio.create_task(
        rig.people.import_csv(RITA, f"first_name,personal_email\n{lines}broken,not an address\n".encode())
    )
    await one_turn()
    assert await rig.send_due() == 1
    assert not importing.done()
    result = await importing
    assert time.process_time() - began < SECONDS_OF_PROCESSOR
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MOST_KIB
    assert result.created == ROWS
    assert [one.line for one in result.rejected] == [ROWS + 2]


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: x@evil.example", "a@b.example\nRCPT TO:<x@evil.example>", "a\r@b.example"]
)
async def test_an_address_with_a_line_break_is_refused_by_its_line(rig: Rig, address: str) -> None:
    """No header and no command can be smuggled in; the other rows are taken."""
    await rig.open()
    table = f'first_name,personal_email\nP1,{email_of(1)}\nEve,"{address}"\nP2,{email_of(2)}\n'
    result = await rig.people.import_csv(RITA, table.encode())
    assert result.created == 2
    assert len(result.rejected) == 1
    assert "address" in result.rejected[0].reason


async def test_a_sender_removed_amid_a_campaign_stops_its_own_prospects_alone(rig: Rig) -> None:
    """R126: Not Delivered with the reason; whoever is written to from another mailbox goes on."""
    await rig.open()
    await rig.connect("omar@agency.test")
    await rig.read_mail("omar@agency.test")
    await rig.launch(1)
    other = FILE.replace("name: Autumn", "name: Harvest").replace("from: rita@", "from: omar@")
    await rig.people.import_csv(RITA, f"first_name,personal_email\nP2,{email_of(2)}\n".encode())
    await rig.campaigns.import_file(RITA, other)
    await rig.campaigns.enroll(RITA, "Harvest", [email_of(2)])
    await rig.campaigns.start(RITA, "Harvest")
    assert await rig.send_due() == 2
    await rig.mailboxes.disconnect(ADA, (await rig.mailboxes.find(ADA, "rita@agency.test")).id)
    rig.clock.pass_time(hours=2)
    await rig.read_mail("omar@agency.test")
    assert await rig.send_due() == 1
    assert await rig.shows(1) == "Not Delivered 2 email_not_synced"
    report = await rig.campaigns.status(ADA, "Harvest")
    assert [(one.status.value, one.stage) for one in report.prospects] == [("Active", 3)]


async def test_a_clock_that_jumps_ahead_sends_one_stage_and_catches_nothing_up(rig: Rig) -> None:
    """Three weeks at once: the next stage is due, and the one after it an hour after that one went."""
    await rig.open()
    await rig.launch(2)
    assert await rig.send_due() == 2
    rig.clock.pass_time(days=21)
    await rig.read_mail()
    assert await rig.send_due() == 2
    assert await rig.send_due() == 0
    assert await rig.follow_up() == 2


async def test_a_clock_that_is_set_back_sends_nothing_twice_and_goes_on_in_time(rig: Rig) -> None:
    """Nothing is due until the clock has come again to where it was."""
    await rig.open()
    await rig.launch(2)
    assert await rig.send_due() == 2
    rig.clock.pass_time(days=-2)
    await rig.read_mail()
    assert await rig.send_due() == 0
    rig.clock.pass_time(days=2)
    assert await rig.follow_up() == 2
    assert len(rig.provider.accepted) == 4


async def test_a_window_in_the_hour_that_the_clocks_skip_holds_nobody_for_ever(rig: Rig) -> None:
    """02:15 to 02:45 does not exist that night in New York: what was due then goes an hour later or the next night."""
    await rig.open()
    window = "window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '02:15', end: '02:45'}"
    rig.clock.at = datetime(2027, 3, 14, 5, 0, tzinfo=UTC)
    await rig.read_mail()
    await rig.launch(1, FILE.replace("stages:", f"timezone: America/New_York\n{window}\nstages:"))
    assert await rig.send_due() == 0
    due = (await rig.deliveries())[0].due_at
    assert due is not None
    assert datetime(2027, 3, 14, 7, tzinfo=UTC) <= due <= datetime(2027, 3, 15, 7, tzinfo=UTC)
    rig.clock.at = due
    assert await rig.send_due() == 1


async def test_a_server_that_takes_a_mail_and_drops_the_line_is_asked_later_and_the_others_go(rig: Rig) -> None:
    """Uncertain, then found in Sent: never sent twice."""
    await rig.open()
    await rig.launch(3)
    rig.provider.outcomes = [LOST]
    assert await rig.send_due() == 3
    shown = [await rig.shows(n) for n in (1, 2, 3)]
    assert sorted(shown) == ["Active 2", "Active 2", "Pending 1 delivery_unknown"]
    rig.clock.pass_time(minutes=2)
    await rig.undecided.settle_due("T1")
    assert [await rig.shows(n) for n in (1, 2, 3)] == ["Active 2"] * 3
    assert len(rig.provider.accepted) == 3


async def test_a_server_that_answers_late_holds_up_no_other_mailbox(rig: Rig) -> None:
    """Its own mails are on the wire; the answer counts whenever it comes."""
    await rig.open()
    await rig.launch(2)
    rig.provider.hang = asyncio.Event()
    first, second = await rig.claim()
    late = asyncio.create_task(rig.outreach.deliver(first))
    await rig.provider.began.wait()
    hang, rig.provider.hang = rig.provider.hang, None
    await rig.outreach.deliver(second)
    assert len(rig.provider.accepted) == 1
    hang.set()
    await late
    assert [await rig.shows(n) for n in (1, 2)] == ["Active 2"] * 2


async def test_a_server_that_refuses_half_of_the_recipients_sends_to_the_others(rig: Rig) -> None:
    """Each by itself: refused ones show the reason, nobody is repeated."""
    await rig.open()
    await rig.launch(10)
    rig.provider.outcomes = [no_such_user() if n % 2 else None for n in range(10)]
    while await rig.send_due():
        continue
    shown = [await rig.shows(n) for n in range(1, 11)]
    assert sorted(set(shown)) == ["Active 2", "Bounced 1 invalid_recipient"]
    assert (shown.count("Active 2"), len(rig.provider.accepted)) == (5, 5)
