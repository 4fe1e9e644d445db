"""What people do with alerts: each once, by those whose business it is, and told where somebody was faster."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.domain.account import MailboxStatus, SyncFault
from core.errors import InputError, LoginRefusedError, NotAllowedError, NotFoundError, RefusedError
from core.ports.storage import SyncLogEntry
from tests.services.alert_rig import AWAY, CHANNEL, SECRET, WRONG, AlertRig
from tests.services.rig import ADA, CAMPAIGN, OMAR, RITA, VERA, Rig, email_of
from tests.stores import NOW


@pytest.fixture
async def many(rig: Rig) -> AlertRig:
    made = AlertRig.on(rig)
    await made.open()
    return made


@pytest.fixture
async def broken(many: AlertRig) -> AlertRig:
    await many.add("rita")
    await many.break_("rita")
    return many


async def version(many: AlertRig) -> tuple[str, int]:
    alert = await many.alert("rita")
    return alert.id, alert.facts["version"]


# -- one card, in place


async def test_all_that_happens_to_a_mailbox_is_told_on_one_card(broken: AlertRig) -> None:
    """Broken, acknowledged, another cause, given up, recovered: two copies, no third."""
    await broken.desk.acknowledge(RITA, *await version(broken))
    await broken.break_("rita", AWAY)
    await broken.break_("rita", AWAY, status=MailboxStatus.CONNECTION_ISSUE)
    card = (await broken.in_channel("sync"))[0]
    assert (card.facts["status"], card.facts["cause"]) == ("connection_issue", "connect_timeout")
    broken.rig.clock.pass_time(minutes=12)
    await broken.mend("rita", caught_up=7)
    cards = await broken.in_channel("sync") + await broken.direct("sync")
    assert [(one.facts["state"], one.facts["down_minutes"], one.facts["caught_up"]) for one in cards] == [
        ("recovered", 12, 7)
    ] * 2


async def test_a_card_says_which_side_is_broken_and_how_the_mailbox_signs_in(many: AlertRig) -> None:
    """What its buttons and its advice hang on; the engine's own notes stay out of it."""
    await many.add("rita", provider="microsoft", sign_in="microsoft")
    await many.break_("rita", SECRET, side="sending")
    (card,) = await many.direct("sync")
    assert (card.facts["side"], card.facts["provider"], card.facts["sign_in"]) == ("sending", "microsoft", "microsoft")
    assert not {"klass", "place", "tried", "began_at"} & set(card.facts)


async def test_reading_speaks_for_sending_too_until_it_is_mended(broken: AlertRig) -> None:
    """One mailbox, one card: while reading fails sending adds nothing; once mail is read again the card says that
    sending does not work, and only when that works too it is recovered."""
    refused = LoginRefusedError("535 5.7.8 Username and Password not accepted", layer="smtp", host="smtp.gmail.com")
    await broken.break_("rita", refused, side="sending")
    assert (await broken.alert("rita")).facts["side"] == "reading"
    async with broken.rig.store.write("T1") as uow:
        row = await uow.mailboxes.get("rita")
        assert row is not None
        fault = SyncFault("smtp_auth_disabled", "535 5.7.139 SmtpClientAuthentication is disabled", "Switch it on", NOW)
        await uow.mailboxes.save(replace(row, send_fault=fault))
    await broken.mend("rita")
    alert = await broken.alert("rita")
    assert (alert.facts["side"], alert.facts["cause"], alert.facts["state"]) == (
        "sending", "smtp_auth_disabled", "broken",
    )  # fmt: skip
    async with broken.rig.store.write("T1") as uow:
        row = await uow.mailboxes.get("rita")
        assert row is not None
        await uow.mailboxes.save(replace(row, send_fault=None))
    await broken.mend("rita")
    assert await broken.open_alerts() == []


async def test_sending_that_breaks_first_hands_its_card_to_reading(many: AlertRig) -> None:
    """Both by the same cause: still one card."""
    await many.add("rita")
    await many.break_("rita", side="sending")
    await many.break_("rita", side="reading")
    (card,) = await many.in_channel("sync")
    assert card.facts["side"] == "reading"


# -- acknowledge, assign, mute


async def test_whoever_acknowledges_is_named_and_whoever_is_late_is_told(broken: AlertRig) -> None:
    """The card of a moment ago is stale; the message names the faster one."""
    stale = await version(broken)
    await broken.desk.acknowledge(RITA, *stale)
    (card,) = await broken.in_channel("sync")
    assert (card.facts["acknowledged_by"], card.facts["acknowledged_at"]) == ("U0RITA", "2026-09-01T09:00:00Z")
    with pytest.raises(RefusedError, match="<@U0RITA> was faster and acknowledged it"):
        await broken.desk.acknowledge(ADA, *stale)
    await broken.desk.mute(ADA, *await version(broken))


async def test_what_is_over_cannot_be_decided_any_more(broken: AlertRig) -> None:
    """Recovered meanwhile: nobody was faster, the trouble was."""
    stale = await version(broken)
    await broken.mend("rita")
    with pytest.raises(RefusedError, match="over already"):
        await broken.desk.mute(ADA, *stale)


async def test_others_mailboxes_are_others_business(broken: AlertRig) -> None:
    """Owner and admins; whom it was assigned to may act as well; viewers look."""
    for actor in (OMAR, VERA):
        for act in (broken.desk.acknowledge, broken.desk.mute):
            with pytest.raises(NotAllowedError):
                await act(actor, *await version(broken))
        with pytest.raises(NotAllowedError):
            await broken.desk.escalate(actor, (await version(broken))[0])
    await broken.desk.assign(RITA, *await version(broken), "U0OMAR")
    await broken.desk.acknowledge(OMAR, *await version(broken))
    with pytest.raises(NotFoundError):
        await broken.desk.acknowledge(ADA, "no such alert", 1)


async def test_an_assignee_is_told_and_kept_up_to_date(broken: AlertRig) -> None:
    """By a copy of the card; whoever had it before sees whose it is now."""
    await broken.desk.assign(ADA, *await version(broken), "U0OMAR")
    (theirs,) = await broken.direct("sync", user="U0OMAR")
    assert theirs.facts["assigned_to"] == "U0OMAR"
    await broken.desk.assign(ADA, *await version(broken), "U0ADA")
    await broken.mend("rita")
    copies = [*await broken.direct("sync", user="U0OMAR"), *await broken.direct("sync", user="U0ADA")]
    assert [(one.facts["state"], one.facts["assigned_to"]) for one in copies] == [("recovered", "U0ADA")] * 2


async def test_every_copy_says_whose_it_is(broken: AlertRig) -> None:
    """What it offers hangs on that: a button that refuses whoever presses it is worse than none."""
    await broken.desk.assign(RITA, *await version(broken), "U0OMAR")
    assert [one.facts["reader"] for one in await broken.direct("sync", user="U0OMAR")] == ["assignee"]
    await broken.desk.assign(RITA, *await version(broken), "U0VERA")
    copies = [*await broken.direct("sync"), *await broken.in_channel("sync")]
    assert [one.facts["reader"] for one in copies] == ["owner", "admins"]
    assert [one.facts["reader"] for one in await broken.direct("sync", user="U0OMAR")] == ["onlooker"]


async def test_an_assignee_may_resync_what_the_open_alert_gives_into_their_hands(broken: AlertRig) -> None:
    """Nobody else may, nor the assignee of before, nor a viewer, nor once it is over."""
    ask = broken.rig.mailboxes.request_resync
    with pytest.raises(NotAllowedError):
        await ask(OMAR, "rita")
    await broken.desk.assign(RITA, *await version(broken), "U0VERA")
    with pytest.raises(NotAllowedError):
        await ask(VERA, "rita")
    await broken.desk.assign(RITA, *await version(broken), "U0OMAR")
    assert (await ask(OMAR, "rita")).resync_requested_by == "U0OMAR"
    broken.rig.clock.pass_time(minutes=1)
    await broken.mend("rita")
    with pytest.raises(NotAllowedError):
        await ask(OMAR, "rita")


@pytest.mark.parametrize("user", ["", "rita", "<@U0RITA>", "U0RITA U0OMAR", "u0rita", "U" * 30])
async def test_only_a_slack_user_can_be_assigned(broken: AlertRig, user: str) -> None:
    """Nothing else is ever a destination."""
    with pytest.raises(InputError):
        await broken.desk.assign(ADA, *await version(broken), user)


@pytest.mark.parametrize("hours", [0, -1, 1_000])
async def test_silence_has_an_end(broken: AlertRig, hours: float) -> None:
    """Two weeks at most."""
    with pytest.raises(InputError):
        await broken.desk.mute(ADA, *await version(broken), hours)


# -- reminders


async def test_red_is_told_again_once_a_day(broken: AlertRig) -> None:
    """A message of its own in both places, and the card counts; never twice a day."""
    await broken.pass_days(0.9)
    assert await broken.in_channel("sync_reminder") == []
    await broken.pass_days(0.1)
    await broken.look()
    await broken.pass_days(0.5)
    (reminder,) = await broken.in_channel("sync_reminder")
    assert (reminder.facts["days"], reminder.facts["reminders"], reminder.facts["changed"]) == (2, 1, False)
    assert len(await broken.direct("sync_reminder")) == 1
    await broken.pass_days(0.5)
    assert [one.facts["days"] for one in await broken.in_channel("sync_reminder")] == [2, 3]
    assert (await broken.in_channel("sync"))[0].facts["reminders"] == 2


async def test_the_period_is_the_workspaces(broken: AlertRig) -> None:
    """remind_after_s."""
    await broken.rig.settings.set(ADA, "remind_after_s", "3600")
    broken.rig.clock.pass_time(hours=1)
    await broken.look()
    assert len(await broken.in_channel("sync_reminder")) == 1


async def test_an_acknowledged_alert_is_quiet_until_its_cause_changes(broken: AlertRig) -> None:
    """A week of silence; then another cause, which speaks at once, and is nobody's yet."""
    await broken.desk.acknowledge(RITA, *await version(broken))
    await broken.pass_days(7)
    assert await broken.in_channel("sync_reminder") == []
    await broken.break_("rita", SECRET)
    await broken.look()
    (reminder,) = await broken.direct("sync_reminder")
    assert (reminder.facts["changed"], reminder.facts["cause"]) == (True, "oauth_client_secret_expired")
    assert (await broken.alert("rita")).facts["acknowledged_by"] is None


async def test_a_change_that_nobody_silenced_is_an_edit_only(broken: AlertRig) -> None:
    """The card changes in place; nobody is called twice."""
    await broken.break_("rita", AWAY)
    assert (await broken.in_channel("sync"))[0].facts["cause"] == "connect_timeout"
    assert await broken.in_channel("sync_reminder") == []


async def test_a_muted_alert_is_quiet_for_its_time(broken: AlertRig) -> None:
    """Then the card says so no more, and what is overdue is told."""
    await broken.desk.mute(RITA, *await version(broken), 36)
    await broken.pass_days(1.4)
    assert await broken.in_channel("sync_reminder") == []
    await broken.pass_days(0.2)
    assert (await broken.alert("rita")).facts["muted_until"] is None
    assert len(await broken.in_channel("sync_reminder")) == 1


async def test_a_storm_reminds_for_all_its_mailboxes(many: AlertRig) -> None:
    """One message in the channel; the mailboxes themselves rest."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name)
    await many.look()
    await many.mend("a")
    await many.pass_days(1)
    (reminder,) = await many.in_channel("sync_reminder")
    assert (reminder.facts["mailboxes"], reminder.facts["address"], reminder.facts["provider"]) == (2, "", "google")
    assert await many.direct("sync_reminder") == []
    storm = await many.storm()
    await many.desk.mute(ADA, storm.id, storm.facts["version"])
    await many.pass_days(0.9)
    assert len(await many.in_channel("sync_reminder")) == 1


# -- the escalation pack


async def test_the_pack_holds_what_support_will_ask_for(broken: AlertRig) -> None:
    """Who, what exactly, since when, what was tried, by which programs; ready to be forwarded, JSON for programs."""
    async with broken.rig.store.write("T1") as uow:
        for number in range(25):
            entry = SyncLogEntry("rita", NOW, "credentials_rejected", f"line {number}\r\nX-Evil: 1", "fix")
            await uow.sync_log.add(entry)
        folder = await uow.folders.ensure("rita", "INBOX", "inbox")
        await uow.folders.mark_read_through([folder.id], NOW)
    await broken.rig.mailboxes.request_resync(RITA, "rita")
    await broken.break_("rita")
    pack = await broken.desk.escalate(replace(RITA, name="Rita", email="rita@agency.test"), (await version(broken))[0])
    for part in (
        "Rita <rita@agency.test> (U0RITA), workspace T1",
        "Mailbox: rita@agency.test at Google",
        "Status: error, broken since 2026-09-01T09:00:00Z (day 1)",
        "[AUTHENTICATIONFAILED] Invalid credentials",
        "resync by U0RITA",
        "INBOX (inbox): read through 2026-09-01T09:00:00Z",
        "rethread 0.1.0, python 3.11",
    ):
        assert part in pack.text
    assert len(pack.facts["log"]) == 20
    assert "\nX-Evil" not in pack.text
    assert json.loads(json.dumps(pack.facts))["tried"] == [{"by": "U0RITA", "at": "2026-09-01T09:00:00Z"}]
    assert "contact support" not in pack.text


async def test_what_is_wrong_with_our_registration_says_contact_support(many: AlertRig) -> None:
    """The ruling on R26; for a storm all its mailboxes are named."""
    for name in await many.add_many("a", "b", provider="microsoft"):
        await many.break_(name, SECRET)
    await many.look()
    for alert in (await many.alert("a"), await many.storm()):
        pack = await many.desk.escalate(ADA, alert.id)
        assert "Connection interrupted: contact support." in pack.text
    assert pack.facts["mailboxes"] == ["a@agency.test", "b@agency.test"]
    with pytest.raises(NotAllowedError):
        await many.desk.escalate(RITA, (await many.storm()).id)


# -- what failed meanwhile


async def failed_stages(many: AlertRig, people: int = 2) -> str:
    """Rita's connected mailbox broke with stages due, and came back; the open offer's id."""
    await many.rig.open(alert_channel=CHANNEL)
    await many.rig.launch(people)
    mailbox = await many.rig.mailboxes.find(ADA, "rita@agency.test")
    await many.break_(mailbox.id)
    await many.rig.send_due()
    many.rig.clock.pass_time(minutes=12)
    await many.mend(mailbox.id, failed=people)
    (offer,) = await many.open_alerts("recovery:")
    return offer.id


async def test_what_failed_meanwhile_is_offered_and_retried_once(many: AlertRig) -> None:
    """To the owner and the channel; the same card says what came of it, and the mails go."""
    offer = await failed_stages(many)
    (card,) = await many.in_channel("recovery")
    assert (card.facts["state"], card.facts["failed"], card.facts["down_minutes"]) == ("offered", 2, 12)
    assert card.facts["campaigns"] == [{"campaign": CAMPAIGN, "failed": 2}]
    lines = await many.desk.review_recovery(RITA, offer)
    assert [(one.email, one.campaign, one.stage) for one in lines] == [
        (email_of(1), CAMPAIGN, 1), (email_of(2), CAMPAIGN, 1),
    ]  # fmt: skip
    result = await many.desk.retry_after_recovery(RITA, offer, card.facts["version"])
    assert (result.retried, result.refused) == (2, [])
    copies = [*await many.in_channel("recovery"), *await many.direct("recovery")]
    assert [(one.facts["state"], one.facts["retried"], one.facts["actor"]) for one in copies] == [
        ("retried", 2, "U0RITA")
    ] * 2
    await many.rig.read_mail()
    assert await many.rig.send_due() == 2
    with pytest.raises(RefusedError, match="<@U0RITA> was faster"):
        await many.desk.retry_after_recovery(ADA, offer, card.facts["version"])


async def test_only_what_failed_for_that_mailbox_and_since_then_is_retried(many: AlertRig) -> None:
    """A stage that failed in an outage before, and was left, stays as it is."""
    first = await failed_stages(many, people=1)
    await many.desk.leave_recovery(RITA, first, (await many.open_alerts("recovery:"))[0].facts["version"])
    assert (await many.direct("recovery"))[0].facts["state"] == "left"
    mailbox = await many.rig.mailboxes.find(ADA, "rita@agency.test")
    many.rig.clock.pass_time(hours=1)
    await many.break_(mailbox.id)
    await many.mend(mailbox.id, failed=1)
    assert await many.open_alerts("recovery:") == []


async def test_a_second_outage_withdraws_the_offer_and_the_next_one_holds_both(many: AlertRig) -> None:
    """Nobody retries into a mailbox that is down; nothing that nobody decided about is forgotten."""
    first = await failed_stages(many, people=1)
    stale = (await many.open_alerts("recovery:"))[0].facts["version"]
    mailbox = await many.rig.mailboxes.find(ADA, "rita@agency.test")
    many.rig.clock.pass_time(hours=1)
    await many.break_(mailbox.id)
    assert await many.open_alerts("recovery:") == []
    with pytest.raises(RefusedError, match="over already"):
        await many.desk.retry_after_recovery(RITA, first, stale)
    await many.mend(mailbox.id, failed=1)
    (offer,) = await many.open_alerts("recovery:")
    assert (offer.id != first, offer.facts["failed"]) == (True, 1)


async def test_an_offer_is_its_owners_and_the_admins(many: AlertRig) -> None:
    """Like the mailbox itself."""
    offer = await failed_stages(many, people=1)
    with pytest.raises(NotAllowedError):
        await many.desk.review_recovery(OMAR, offer)
    with pytest.raises(NotAllowedError):
        await many.desk.retry_after_recovery(VERA, offer, 1)
    with pytest.raises(NotFoundError):
        await many.desk.acknowledge(RITA, offer, 1)


async def test_what_the_rules_refuse_is_counted(many: AlertRig) -> None:
    """A person who is finished meanwhile is not written to again."""
    offer = await failed_stages(many)
    card = (await many.direct("recovery"))[0]
    await many.rig.campaigns.pause(RITA, CAMPAIGN)
    await many.rig.campaigns.stop(RITA, CAMPAIGN)
    result = await many.desk.retry_after_recovery(RITA, offer, card.facts["version"])
    assert (result.retried, len(result.refused)) == (0, 2)
    assert (await many.direct("recovery"))[0].facts["refused"] == 2


# -- sign-ins that end


async def test_the_end_of_a_sign_in_is_counted_down_on_one_card(many: AlertRig) -> None:
    """A week ahead, in the owner's messages only; renewed when the person has signed in again."""
    await many.add("rita", sign_in="microsoft", provider="microsoft", signed_in_at=NOW)
    await many.pass_days(82.5)
    assert await many.direct("expiry") == []
    await many.pass_days(0.5)
    (card,) = await many.direct("expiry")
    assert (card.facts["state"], card.facts["days_left"], card.facts["ends_at"]) == (
        "warned", 7, "2026-11-30T09:00:00Z",
    )  # fmt: skip
    assert await many.in_channel("expiry") == []
    await many.pass_days(4)
    (card,) = await many.direct("expiry")
    assert card.facts["days_left"] == 3
    async with many.rig.store.write("T1") as uow:
        row = await uow.mailboxes.get("rita")
        assert row is not None
        await uow.mailboxes.save(replace(row, signed_in_at=many.rig.clock.now()))
    await many.look()
    (card,) = await many.direct("expiry")
    assert (card.facts["state"], card.facts["days_left"]) == ("renewed", 90)
    assert await many.open_alerts("expiry:") == []


async def test_a_sign_in_whose_time_is_over_says_so_once(many: AlertRig) -> None:
    """No new card each day."""
    await many.add("rita", sign_in="microsoft", provider="microsoft", signed_in_at=NOW)
    for days in (89, 2, 2):
        await many.pass_days(days)
    (card,) = await many.direct("expiry")
    assert (card.facts["state"], card.facts["days_left"]) == ("ended", 0)
    seen = card.version
    await many.pass_days(1)
    assert (await many.direct("expiry"))[0].version == seen


@pytest.mark.parametrize("sign_in", ["password", "google"])
async def test_only_the_providers_rule_is_told(many: AlertRig, sign_in: str) -> None:
    """Passwords and Google's sign-ins do not end by the calendar."""
    await many.add("rita", sign_in=sign_in, signed_in_at=NOW)
    await many.pass_days(100)
    assert await many.open_alerts() == []


async def test_a_disconnected_mailboxes_sign_in_is_over(many: AlertRig) -> None:
    """Its card counts down no more."""
    await many.add("rita", sign_in="microsoft", provider="microsoft", signed_in_at=NOW)
    await many.pass_days(85)
    await many.rig.mailboxes.disconnect(RITA, "rita")
    await many.look()
    assert (await many.direct("expiry"))[0].facts["state"] == "ended"
    assert await many.open_alerts() == []


async def test_at_a_terminal_nobody_is_written_to(many: AlertRig) -> None:
    """A mailbox of nobody in Slack is told in the channel only."""
    await many.add("rita", owner="operator", sign_in="microsoft", provider="microsoft", signed_in_at=NOW)
    await many.break_("rita", WRONG)
    await many.pass_days(85)
    destinations = {one.destination for one in await many.rig.cards()}
    assert destinations == {CHANNEL}
    assert len(await many.in_channel("expiry")) == 1
