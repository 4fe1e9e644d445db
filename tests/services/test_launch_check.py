"""What is said before a campaign starts: who will fail, who will wait, and when the last mail goes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.domain.actor import Actor, Role
from core.errors import NotFoundError
from core.ports.storage import Suppression
from core.services.address_checks import AddressChecks
from core.services.deliverability import DeliverabilityService
from core.services.launch_check import LaunchCheck, LaunchReport
from core.services.signatures import SignatureService
from tests.services.rig import ADA, CAMPAIGN, FILE, RITA, Rig, email_of
from tests.services.test_address_checks import TableResolver


def resolver() -> TableResolver:
    table = TableResolver()
    for domain in ("candidates.example", "agency.test", "mailinator.com"):
        table.servers[domain] = [(10, f"mail.{domain}")]
        table.hosts[f"mail.{domain}"] = ["192.0.2.1"]
    return table


async def report_of(rig: Rig, name: str = CAMPAIGN, actor: Actor = RITA, *, texts: bool = True) -> LaunchReport:
    table = resolver()
    check = LaunchCheck(rig.tools, DeliverabilityService(table), AddressChecks(table), texts=texts)
    return await check.preflight(actor, name)


def codes(report: LaunchReport, severity: str) -> list[str]:
    return [problem.code for problem in report.problems if problem.severity == severity]


async def launch_with(rig: Rig, lines: Sequence[str], file: str = FILE) -> None:
    """People by CSV lines, all of them in the campaign."""
    heading = "first_name,personal_email,work_email,phone,timezone"
    await rig.people.import_csv(RITA, "\n".join([heading, *lines]).encode())
    await rig.campaigns.import_file(RITA, file)
    emails = [cell for line in lines for cell in line.split(",")[1:3] if cell]
    await rig.campaigns.enroll(RITA, CAMPAIGN, emails)


async def test_a_campaign_in_order_may_start(rig: Rig) -> None:
    """Three people, a synced mailbox: nothing stops it, and the forecast says when each stage ends."""
    await rig.open()
    await rig.launch(3, start=False)
    report = await report_of(rig)
    assert report.ok
    assert report.people == 3
    assert [line.will_send for line in report.forecast.lines if line.stage == 1] == [3]
    assert set(report.forecast.stage_ends) == {1, 2, 3}
    assert report.forecast.stage_ends[1] >= rig.clock.now()


async def test_a_sender_named_by_an_alias_is_its_mailbox(rig: Rig) -> None:
    """The campaign's and a stage's are one mailbox: nothing is missing, and its pace counts once."""
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    await SignatureService(rig.tools).set_aliases(RITA, mailbox.id, ["jobs@agency.test"])
    await rig.launch(3, FILE.replace("rita@agency.test", "[jobs@agency.test, rita@agency.test]"), start=False)
    report = await report_of(rig)
    assert report.ok
    assert [line.will_send for line in report.forecast.lines if line.stage == 1] == [3]


async def test_people_who_cannot_be_written_to_are_counted_by_reason_and_named(rig: Rig) -> None:
    """No allowed type, no mail at the domain, on the list: each will fail; a throw-away one will wait."""
    await rig.open()
    await launch_with(
        rig,
        [
            "Ann,ann@candidates.example,,,",
            "Bo,,bo@candidates.example,,",
            "Cy,cy@nowhere.example,,,",
            "Di,di@mailinator.com,,,",
            "Ed,ed@candidates.example,,,",
        ],
        file=FILE.replace("channel:", "email_priority: [personal]\nchannel:"),
    )
    async with rig.store.write("T1") as uow:
        await uow.suppressions.put_many([Suppression("ed@candidates.example", "asked", "U0ADA", rig.clock.now())])
    report = await report_of(rig)
    assert not report.ok
    assert set(codes(report, "stop")) == {"null_email", "invalid_recipient", "suppressed"}
    assert "risky_address" in codes(report, "warn")
    invalid = next(problem for problem in report.problems if problem.code == "invalid_recipient")
    assert invalid.count == 1
    assert "cy@nowhere.example" in invalid.examples[0]
    assert report.forecast.failing == 3
    assert report.forecast.waiting == 1


async def test_a_field_without_value_and_fallback_is_named(rig: Rig) -> None:
    await rig.open()
    await launch_with(rig, [",ann@candidates.example,,,", "Bo,bo@candidates.example,,,"])
    report = await report_of(rig)
    missing = next(problem for problem in report.problems if problem.code == "missing_variable")
    assert missing.count == 1
    assert "first_name" in missing.text


async def test_a_sender_that_is_not_connected_stops_the_launch(rig: Rig) -> None:
    await rig.open()
    await rig.launch(1, FILE.replace("rita@agency.test", "gone@agency.test"), start=False)
    report = await report_of(rig)
    assert codes(report, "stop") == ["no_account_selected"]


async def test_a_sender_that_reads_no_mail_stops_the_launch(rig: Rig) -> None:
    """Both check marks are needed (R126)."""
    await rig.open()
    await rig.launch(1, start=False)
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    await rig.mailboxes.set_switches(RITA, mailbox.id, capture=False)
    assert codes(await report_of(rig), "stop") == ["email_not_synced"]


async def test_somebody_in_two_running_campaigns_is_named(rig: Rig) -> None:
    await rig.open()
    await rig.launch(2)
    await rig.campaigns.import_file(RITA, FILE.replace("name: Autumn", "name: Winter"))
    await rig.campaigns.enroll(RITA, "Winter", [email_of(1)])
    report = await report_of(rig, "Winter")
    twice = next(problem for problem in report.problems if problem.code == "also_running")
    assert (twice.count, "Autumn" in twice.examples[0]) == (1, True)


async def test_the_workspaces_limit_is_told_before_it_is_met(rig: Rig) -> None:
    """Over it mails fail and are not sent by themselves (R123)."""
    await rig.open(daily_email_limit=2)
    await rig.launch(5, start=False)
    report = await report_of(rig)
    over = next(problem for problem in report.problems if problem.code == "email_limit")
    assert (over.severity, over.count) == ("stop", report.forecast.failing)


async def test_warming_up_spreads_the_forecast_over_days(rig: Rig) -> None:
    await rig.open(mailbox_first_days=7, mailbox_first_daily=2, mailbox_daily=200)
    await rig.launch(5, FILE.split("  - delay")[0], start=False)
    report = await report_of(rig)
    assert [line.will_send for line in report.forecast.lines if line.will_send] == [2, 2, 1]


async def test_a_missing_attachment_and_a_shouting_text_are_told(rig: Rig) -> None:
    await rig.open()
    shouting = FILE.replace('"{{first_name}}, a role"', '"MAKE MONEY NOW!!! DEAR CANDIDATE"').replace(
        "body: Hi {{first_name}}", "body: Dear candidate, MAKE MONEY, this is not spam!!!!\n    attachments: [jd.pdf]"
    )
    await rig.launch(1, shouting, start=False)
    report = await report_of(rig)
    assert "attachment_missing" in codes(report, "stop")
    assert "content" in codes(report, "warn")
    assert report.lint_score >= 5


async def test_an_empty_or_unknown_campaign_is_said_to_be_that(rig: Rig) -> None:
    await rig.open()
    await rig.launch(0, start=False)
    assert codes(await report_of(rig), "stop") == ["nobody"]
    with pytest.raises(NotFoundError):
        await report_of(rig, "Nowhere", Actor("T1", "U0RITA", Role.RECRUITER))


TEXT = FILE + "  - kind: sms\n    body: Hi {{first_name}}\n"


async def test_a_text_needs_an_account_and_a_number_that_can_be_dialled(rig: Rig) -> None:
    """Without an SMS account the stage will fail; a number without country code is none unless one is set."""
    await rig.open(phone_country=["GB"])
    await launch_with(
        rig,
        ["Ann,ann@candidates.example,,07400 123456,", "Bo,bo@candidates.example,,extension 5,"],
        file=TEXT.replace("  - subject", "  - kind: sms\n    body: Hello\n  - subject"),
    )
    report = await report_of(rig, texts=False)
    assert set(codes(report, "stop")) == {"sms_off", "no_phone"}
    number = next(problem for problem in report.problems if problem.code == "no_phone")
    assert (number.count, "extension 5" in number.examples[0]) == (1, True)
    assert "sms_off" not in codes(await report_of(rig), "stop")
