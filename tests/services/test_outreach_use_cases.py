"""Outreach by people: heard elsewhere, undone, moved, blocked, edited; each by the rules, each told in the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.campaign_query import CampaignQuery, CampaignSort
from core.domain.delivery import DeliveryState
from core.domain.enrollment import ProspectEvent, ProspectStatus
from core.domain.prospect_query import LogQuery, ProspectQuery
from core.errors import InputError, NotAllowedError, NotFoundError, RefusedError, ServerRefusedError
from core.ports.storage import Suppression
from core.services.bulk_actions import BulkActions, Selection
from core.services.campaign_edits import CampaignEdits
from core.services.cards import CardWriter
from core.services.email_log import EmailLog, failed_even_so
from core.services.progress import Progress
from core.services.suppression_list import SuppressionList
from tests.services.rig import ADA, CAMPAIGN, FILE, OMAR, RITA, VERA, Rig, answer, email_of, report
from tests.services.test_ingest import OOO, sent_one

NOBODY = ServerRefusedError("550 5.1.1 no such user", layer="smtp", smtp_code=550)
LARGE = ServerRefusedError("550 5.2.3 message too large", layer="smtp", smtp_code=550)
SPAM = ServerRefusedError("550 5.7.1 likely unsolicited mail", layer="smtp", smtp_code=550)
WINTER = FILE.replace("Autumn", "Winter")


def progress_of(rig: Rig) -> Progress:
    return Progress(rig.tools, CardWriter(rig.tools))


def edits_of(rig: Rig) -> CampaignEdits:
    return CampaignEdits(rig.tools, progress_of(rig))


def bulk_of(rig: Rig) -> BulkActions:
    return BulkActions(rig.tools, progress_of(rig))


def log_of(rig: Rig) -> EmailLog:
    return EmailLog(rig.tools, progress_of(rig))


async def launched(rig: Rig, people: int = 1) -> None:
    await rig.open()
    await rig.launch(people)


# -- one prospect


@pytest.mark.parametrize("how", ["called", "texted", "booked"])
async def test_an_answer_heard_elsewhere_pauses_with_its_badge(rig: Rig, how: str) -> None:
    """R97, X7: no mailbox sees it, so a person says it; unpausing goes on."""
    await launched(rig)
    await rig.prospects.they(RITA, how, CAMPAIGN, email_of(1))
    assert await rig.shows() == f"Paused 1 they_{how}"
    assert await rig.follow_up() == 0
    await rig.act(ProspectEvent.UNPAUSE)
    assert await rig.shows() == "Active 1"
    assert await rig.send_due() == 1


async def test_what_is_no_way_to_be_heard_is_refused(rig: Rig) -> None:
    await launched(rig)
    with pytest.raises(InputError, match="not one of called, texted, booked"):
        await rig.prospects.they(RITA, "waved", CAMPAIGN, email_of(1))
    await rig.act(ProspectEvent.FINISH)
    with pytest.raises(RefusedError, match="finished"):
        await rig.prospects.they(RITA, "called", CAMPAIGN, email_of(1))


@pytest.mark.parametrize("before", ["active", "paused", "failed", "waiting"])
async def test_a_finish_is_undone_exactly(rig: Rig, before: str) -> None:
    """X8: status, stage, reason, time and queue stand as they stood."""
    await launched(rig)
    if before == "paused":
        await rig.prospects.they(RITA, "called", CAMPAIGN, email_of(1))
    if before == "failed":
        rig.provider.outcomes = [LARGE]
        await rig.send_due()
    if before == "waiting":
        await rig.campaigns.pause(RITA, CAMPAIGN)
    was, queue = await rig.prospect(), await rig.states()
    finished = await rig.act(ProspectEvent.FINISH)
    assert await rig.prospects.undo_seconds(RITA, finished.id) == 120
    restored = await rig.prospects.undo_finish(RITA, finished.id, finished.version)
    assert (restored.status, restored.stage, restored.reason, restored.next_at) == (
        *(was.status, was.stage, was.reason),
        was.next_at,
    )
    assert await rig.states() == queue


async def test_after_its_moment_a_finish_is_final(rig: Rig) -> None:
    """R136; and an undone finish cannot be undone."""
    await launched(rig)
    finished = await rig.act(ProspectEvent.FINISH)
    rig.clock.pass_time(seconds=121)
    with pytest.raises(RefusedError, match="final") as refused:
        await rig.prospects.undo_finish(RITA, finished.id)
    assert refused.value.reason == "undo_over"
    assert await rig.prospects.undo_seconds(RITA, finished.id) == 0


async def test_nothing_is_undone_once_something_has_happened(rig: Rig) -> None:
    """A reply came after the finish: the undo would go over it."""
    first = await sent_one(rig)
    finished = await rig.act(ProspectEvent.FINISH)
    rig.provider.arrive(answer(first))
    await rig.read_mail()
    with pytest.raises(RefusedError) as refused:
        await rig.prospects.undo_finish(RITA, finished.id)
    assert refused.value.reason == "nothing_to_undo"
    assert (await rig.prospect()).status is ProspectStatus.COMPLETE


async def test_the_end_by_itself_cannot_be_undone(rig: Rig) -> None:
    await launched(rig)
    for _ in range(3):
        await rig.act(ProspectEvent.SKIP)
    with pytest.raises(RefusedError, match="Only the last thing that a person did"):
        await rig.act(ProspectEvent.UNDO_FINISH)


async def test_an_undo_while_the_campaign_is_off_waits_for_it(rig: Rig) -> None:
    await launched(rig)
    finished = await rig.act(ProspectEvent.FINISH)
    await rig.campaigns.pause(RITA, CAMPAIGN)
    await rig.prospects.undo_finish(RITA, finished.id)
    assert await rig.shows() == "Pending 1 campaign"
    await rig.campaigns.start(RITA, CAMPAIGN)
    assert await rig.shows() == "Active 1"
    assert await rig.send_due() == 1


async def test_spam_is_retried_only_after_a_warning(rig: Rig) -> None:
    """The same wording will be taken for spam again."""
    await launched(rig)
    rig.provider.outcomes = [SPAM]
    await rig.send_due()
    assert (await rig.shows()).startswith("Spam 1")
    with pytest.raises(RefusedError, match="taken for spam again"):
        await rig.act(ProspectEvent.RETRY)
    await rig.act(ProspectEvent.RETRY, confirmed=True)
    assert await rig.shows() == "Active 1"


async def test_the_ledger_names_the_mail_that_proves_it(rig: Rig) -> None:
    """X9: before, after, who, and the message id."""
    rig.provider.arrive(answer(await sent_one(rig), number=7))
    await rig.read_mail()
    await rig.act(ProspectEvent.FINISH)
    *_, reply, finish = await rig.prospects.ledger(ADA, CAMPAIGN, email_of(1))
    assert (reply.event, reply.before.value, reply.after.value) == ("reply", "Active", "Replied")
    assert reply.message_id == "answer-7@candidates.example"
    assert (finish.actor, finish.message_id) == ("U0RITA", None)
    assert finish.sentence == "Marked finished by <@U0RITA>: Replied → Complete, stage 2."


# -- mail that comes


async def test_follow_ups_wait_for_the_day_after_the_return(rig: Rig) -> None:
    """An out-of-office answer with a date: Pending until then, and no reply."""
    note = "I am out of the office and back on 4 September 2026."
    rig.provider.arrive(answer(await sent_one(rig), text=note, headers=OOO))
    await rig.read_mail()
    assert await rig.shows() == "Pending 2 out_of_office"
    assert (await rig.prospect()).next_at == datetime(2026, 9, 5, 9, tzinfo=UTC)
    assert (await rig.events())[-2:] == ["auto_reply", "wait"]
    rig.clock.pass_time(days=3)
    await rig.read_mail()
    assert await rig.send_due() == 0
    rig.clock.pass_time(days=1)
    assert await rig.follow_up() == 1
    assert await rig.shows() == "Active 3"


async def test_a_note_without_a_date_waits_some_days(rig: Rig) -> None:
    rig.provider.arrive(answer(await sent_one(rig), text="I am away.", headers=OOO))
    await rig.read_mail()
    next_at = (await rig.prospect()).next_at
    assert next_at is not None
    assert next_at - rig.clock.now() > timedelta(days=2)


async def test_who_is_paused_stays_so_whatever_a_note_says(rig: Rig) -> None:
    first = await sent_one(rig)
    await rig.act(ProspectEvent.PAUSE)
    rig.provider.arrive(answer(first, text="Back on 4 September 2026.", headers=OOO))
    await rig.read_mail()
    assert await rig.shows() == "Paused 2"


@pytest.mark.parametrize(("setting", "shows"), [("log", "Complete 3"), ("replied", "Replied 3")])
async def test_a_reply_after_the_last_stage(rig: Rig, setting: str, shows: str) -> None:
    """Counted only, or Replied where the workspace wants it; never where a person finished."""
    first = await sent_one(rig)
    await rig.settings.set(ADA, "late_reply", setting)
    for _ in range(2):
        await rig.act(ProspectEvent.SKIP)
    rig.provider.arrive(answer(first))
    await rig.read_mail()
    assert await rig.shows() == shows


async def test_a_bounced_address_is_blocked_and_another_clears_the_way(rig: Rig) -> None:
    """Rules of failures: suppress the address; the person may be written to at another one."""
    rig.provider.arrive(report(await sent_one(rig)))
    await rig.read_mail()
    async with rig.store.read("T1") as uow:
        (hit,) = (await uow.suppressions.among([email_of(1)])).values()
    assert hit.code == "bounced"
    await rig.people.add_address(RITA, email_of(1), "new@candidates.example", "personal")
    await rig.people.remove_address(RITA, "new@candidates.example", email_of(1))
    await rig.prospects.act(RITA, ProspectEvent.RETRY, CAMPAIGN, "new@candidates.example")
    await rig.read_mail()
    assert await rig.send_due() == 1


# -- many


async def test_the_same_person_in_two_running_campaigns_is_named(rig: Rig) -> None:
    await launched(rig, 2)
    await rig.campaigns.import_file(RITA, WINTER)
    result = await rig.campaigns.enroll(RITA, "Winter", [email_of(1), "x@y.test"])
    assert result.enrolled == 1
    assert [(one.email, one.campaigns) for one in result.also_in] == [(email_of(1), (CAMPAIGN,))]


async def test_who_must_not_be_written_to_is_left_out_with_the_reason(rig: Rig) -> None:
    """Asked not to be, by any address; bounced only by that one."""
    await rig.open()
    await rig.import_people(2)
    await rig.campaigns.import_file(RITA, FILE)
    now = rig.clock.now()
    async with rig.store.write("T1") as uow:
        await uow.suppressions.put_many(
            [
                Suppression(email_of(1), "unsubscribed", "recipient", now),
                Suppression("@candidates.test", "asked", "U0ADA", now),
                Suppression(email_of(2), "bounced", "engine", now),
            ]
        )
    await rig.people.add_address(RITA, email_of(2), "two@candidates.test", "work")
    result = await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1), email_of(2)])
    assert result.enrolled == 0
    told = {one.email: one.reason for one in result.skipped}
    assert told[email_of(1)] == "asked not to be written to (unsubscribed)"
    assert "bounced" in told[email_of(2)]


async def test_blocking_somebody_ends_what_runs(rig: Rig) -> None:
    """By address or by domain; only an admin takes it back."""
    blocks = SuppressionList(rig.tools, progress_of(rig))
    await launched(rig, 3)
    assert (await blocks.add(RITA, [email_of(1)], note="by phone")).stopped == 1
    assert await rig.shows(1) == "Complete 1 suppressed"
    assert (await blocks.add(RITA, ["@candidates.example"])).stopped == 2
    assert await rig.send_due() == 0
    with pytest.raises(NotAllowedError):
        await blocks.remove(RITA, "@candidates.example")
    await blocks.remove(ADA, "@candidates.example")
    assert set(await blocks.blocked(RITA, [email_of(1), email_of(2)])) == {email_of(1)}
    with pytest.raises(NotFoundError):
        await blocks.remove(ADA, "@candidates.example")
    with pytest.raises(InputError, match="neither an address nor"):
        await blocks.add(RITA, ["everybody"])
    with pytest.raises(NotAllowedError):
        await blocks.add(VERA, [email_of(3)])


async def test_one_action_on_a_selection_names_who_refused(rig: Rig) -> None:
    """R140 to R142: by the same rules as alone, with progress."""
    await launched(rig, 3)
    await rig.act(ProspectEvent.FINISH, 2)
    told: list[tuple[int, int]] = []
    result = await bulk_of(rig).act(
        RITA, ProspectEvent.PAUSE, Selection(CAMPAIGN), progressed=lambda done, of: told.append((done, of))
    )
    assert (result.done, [one.email for one in result.refused], told) == (2, [email_of(2)], [(3, 3)])
    chosen = Selection(CAMPAIGN, ((await rig.prospect(3)).id, "nobody"))
    assert (await bulk_of(rig).act(RITA, ProspectEvent.UNPAUSE, chosen)).done == 1
    paused = Selection(CAMPAIGN, query=ProspectQuery(statuses=(ProspectStatus.PAUSED,)))
    assert await bulk_of(rig).count(RITA, paused) == 1
    assert (await bulk_of(rig).act(OMAR, ProspectEvent.SKIP, Selection(CAMPAIGN))).done == 0
    with pytest.raises(InputError, match="one prospect at a time"):
        await bulk_of(rig).act(RITA, ProspectEvent.REPLY, Selection(CAMPAIGN))


async def test_an_export_holds_no_formulas(rig: Rig) -> None:
    """What a candidate's name begins with must not be worked out by a spreadsheet."""
    await rig.open()
    rows = f"first_name,personal_email\n=HYPERLINK(1),{email_of(1)}\n"
    await rig.people.import_csv(RITA, rows.encode())
    await rig.campaigns.import_file(RITA, FILE)
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1)])
    assert "\n'=HYPERLINK(1)," in (await bulk_of(rig).export(RITA, Selection(CAMPAIGN))).replace("\r", "")


async def test_a_shared_campaign_is_everybodys_to_act_in_and_its_owners_to_change(rig: Rig) -> None:
    """R160: everybody sees; sharing lets others enrol and act."""
    await rig.open()
    await rig.launch(2, FILE.replace("channel:", "shared: true\nchannel:"))
    await rig.act(ProspectEvent.PAUSE, actor=OMAR)
    await rig.import_people(3)
    assert (await rig.campaigns.enroll(OMAR, CAMPAIGN, [email_of(3)])).enrolled == 1
    with pytest.raises(NotAllowedError):
        await rig.campaigns.stop(OMAR, CAMPAIGN)
    with pytest.raises(NotAllowedError):
        await edits_of(rig).change_stage(OMAR, CAMPAIGN, 1, {"body": "Mine"})
    query = CampaignQuery(shared=True, sort=CampaignSort.NAME)
    assert [line.campaign.name for line in await rig.campaigns.list(OMAR, query)] == [CAMPAIGN]


# -- the Email Log


async def test_a_retry_from_the_log_passes_validation_and_says_when_that_did_not_help(rig: Rig) -> None:
    """R143, R144, R169."""
    await launched(rig)
    rig.provider.outcomes = [LARGE, LARGE]
    await rig.send_due()
    (line,) = (await log_of(rig).page(RITA, LogQuery())).rows
    assert failed_even_so(line.state, bypass=line.bypass) == ""
    rig.clock.pass_time(minutes=1)
    await log_of(rig).retry(RITA, line.id)
    assert [one.bypass for one in await rig.deliveries()] == [False, True]
    await rig.read_mail()
    await rig.send_due()
    newest = (await log_of(rig).page(RITA, LogQuery())).rows[0]
    assert newest.state is DeliveryState.FAILED
    assert "likely cannot be delivered" in failed_even_so(newest.state, bypass=newest.bypass)
    with pytest.raises(RefusedError, match="not the prospect's last"):
        await log_of(rig).retry(RITA, line.id)


async def test_what_is_sent_cannot_be_recalled(rig: Rig) -> None:
    """R165, in words."""
    await sent_one(rig)
    sent = next(one for one in await rig.deliveries() if one.state is DeliveryState.SENT)
    for act in (log_of(rig).cancel, log_of(rig).retry):
        with pytest.raises(RefusedError, match="cannot be recalled"):
            await act(RITA, sent.id)


# -- edits


async def test_an_edit_counts_for_what_has_not_been_claimed(rig: Rig) -> None:
    await launched(rig)
    await edits_of(rig).change_stage(RITA, CAMPAIGN, 1, {"body": "Dear {{first_name}}", "subject": "News"})
    await rig.send_due()
    assert b"Dear P1" in rig.provider.accepted[0]
    with pytest.raises(InputError, match="stages"):
        await edits_of(rig).change_stage(RITA, CAMPAIGN, 2, {"body": "Hi {{first_name"})
    with pytest.raises(InputError, match="cannot be changed"):
        await edits_of(rig).change_stage(RITA, CAMPAIGN, 2, {"kind": "call"})
    with pytest.raises(NotFoundError, match="no stage 9"):
        await edits_of(rig).change_stage(RITA, CAMPAIGN, 9, {"body": "x"})


async def test_a_deleted_stage_is_passed_over_and_the_numbers_stay(rig: Rig) -> None:
    """R154, decision 0017: what was sent keeps its number, nobody gets the deleted stage."""
    await sent_one(rig)
    with pytest.raises(RefusedError, match="1 person is at stage 2") as refused:
        await edits_of(rig).delete_stage(RITA, CAMPAIGN, 2)
    assert refused.value.reason == "stage_in_use"
    after = await edits_of(rig).delete_stage(RITA, CAMPAIGN, 2, skip=True)
    assert [stage.position for stage in after.live_stages] == [1, 3]
    assert await rig.shows() == "Active 3"
    await rig.people.import_csv(RITA, f"first_name,personal_email\nTwo,{email_of(2)}\n".encode())
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(2)])
    await rig.follow_up()
    assert await rig.shows() == "Complete 3"
    assert await rig.shows(2) == "Active 3"
    assert "stages:" in await rig.campaigns.export(RITA, CAMPAIGN)


async def test_nobody_is_skipped_past_a_stage_that_cannot_be_deleted(rig: Rig) -> None:
    """The second stage has no subject of its own, so the first has to stay."""
    await launched(rig)
    with pytest.raises(InputError, match="subject"):
        await edits_of(rig).delete_stage(RITA, CAMPAIGN, 1, skip=True)
    assert await rig.states() == ["1.1 queued"]
    assert await rig.shows() == "Active 1"


async def test_a_stage_more_comes_at_the_end_and_who_was_through_stays_so(rig: Rig) -> None:
    await launched(rig)
    for _ in range(3):
        await rig.act(ProspectEvent.SKIP)
    after = await edits_of(rig).add_stage(RITA, CAMPAIGN, {"body": "One more", "delay": "1d"})
    assert len(after.stages) == 4
    assert await rig.follow_up() == 0
    assert await rig.shows() == "Complete 3"


async def test_without_people_a_deleted_stage_is_gone(rig: Rig) -> None:
    await rig.open()
    await rig.campaigns.import_file(RITA, FILE)
    after = await edits_of(rig).delete_stage(RITA, CAMPAIGN, 2)
    assert [(stage.position, stage.body) for stage in after.stages] == [(1, "Hi {{first_name}}"), (2, "Last try")]
    await edits_of(rig).delete_stage(RITA, CAMPAIGN, 2)
    with pytest.raises(RefusedError, match="only stage"):
        await edits_of(rig).delete_stage(RITA, CAMPAIGN, 1)


async def test_a_copy_has_stages_and_files_and_nobody_in_it(rig: Rig) -> None:
    """R155, R156: its maker owns it."""
    await rig.open()
    with_file = FILE.replace("    body: Last try", "    body: Last try\n    attachments: [jd.pdf]")
    await rig.campaigns.import_file(RITA, with_file, {"jd.pdf": b"%PDF", "more.pdf": b"unasked"})
    copy = await rig.campaigns.duplicate(OMAR, CAMPAIGN)
    assert (copy.name, copy.owner, copy.status.value) == ("Autumn (copy)", "U0OMAR", "draft")
    assert (await rig.campaigns.duplicate(OMAR, CAMPAIGN)).name == "Autumn (copy 2)"
    assert [file.name for file in await rig.campaigns.export_files(OMAR, copy.name)] == ["jd.pdf"]
    with pytest.raises(InputError, match="larger than 10 MB"):
        await rig.campaigns.import_file(RITA, with_file, {"jd.pdf": bytes(10_000_001)})
