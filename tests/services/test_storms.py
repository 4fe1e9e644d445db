"""One outage is one card: storms begin, take in the late, show who is back, and end."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.account import MailboxStatus
from core.domain.alert import AlertState
from core.errors import NotAllowedError, RefusedError
from core.services.alert_board import AlertBoard
from tests.services.alert_rig import AWAY, SECRET, SHUT, WRONG, AlertRig
from tests.services.rig import ADA, RITA, Rig


@pytest.fixture
async def many(rig: Rig) -> AlertRig:
    made = AlertRig.on(rig)
    await made.open()
    return made


async def test_two_broken_mailboxes_are_two_cards(many: AlertRig) -> None:
    """Fewer than the setting says: each speaks for itself."""
    for name in await many.add_many("a", "b"):
        await many.break_(name)
    await many.look()
    assert [one.facts["folded"] for one in await many.in_channel("sync")] == [None, None]
    assert await many.open_alerts("storm:") == []


async def test_the_third_makes_it_one_storm(many: AlertRig) -> None:
    """The two cards in the channel point to it, the third is never posted there; owners keep their own."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name)
    await many.look()
    (storm,) = await many.in_channel("storm")
    assert (storm.facts["cause"], storm.facts["provider"], storm.facts["total"]) == (
        "credentials_rejected", "google", 3,
    )  # fmt: skip
    assert [one["mailbox_id"] for one in storm.facts["mailboxes"]] == ["a", "b", "c"]
    folded = await many.in_channel("sync")
    assert {one.facts["mailbox_id"]: one.facts["folded"] for one in folded} == {
        "a": storm.facts["alert_id"],
        "b": storm.facts["alert_id"],
    }
    assert [one.facts["folded"] for one in await many.direct("sync")] == [None, None, None]


async def test_what_breaks_later_joins_without_a_card_of_its_own(many: AlertRig) -> None:
    """Also a day later; the owner is told, the channel's card counts one more."""
    for name in await many.add_many("a", "b", "c", "d"):
        if name != "d":
            await many.break_(name)
    await many.look()
    many.rig.clock.pass_time(hours=20)
    await many.break_("d")
    assert len(await many.in_channel("sync")) == 2
    await many.look()
    assert (await many.storm()).facts["total"] == 4
    assert len(await many.direct("sync")) == 4


async def test_breaks_far_apart_are_no_storm(many: AlertRig) -> None:
    """The same cause three times in an hour is three people who changed their passwords."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name)
        many.rig.clock.pass_time(minutes=20)
    await many.look()
    assert len(await many.in_channel("sync")) == 3
    assert await many.open_alerts("storm:") == []


async def test_servers_of_unknown_providers_have_nothing_in_common(many: AlertRig) -> None:
    """Three companies' own servers are three troubles; three mailboxes of one server are one."""
    for number in range(3):
        name = await many.add(f"own{number}", provider="other", imap_host=f"mail{number}.example")
        await many.break_(name)
    await many.look()
    assert await many.open_alerts("storm:") == []
    for number in range(3):
        name = await many.add(f"same{number}", provider="other", imap_host="Mail.Agency.test")
        await many.break_(name)
    await many.look()
    assert (await many.storm()).facts["provider"] == "mail.agency.test"


async def test_an_expired_client_secret_is_a_storm_at_the_first_mailbox(many: AlertRig) -> None:
    """It will be everybody's; no card of one mailbox is posted in the channel, and support is named (R26)."""
    for name in await many.add_many("a", "b", provider="microsoft", sign_in="microsoft"):
        await many.break_(name, SECRET)
        assert await many.in_channel("sync") == []
        await many.look()
    (storm,) = await many.in_channel("storm")
    assert (storm.facts["total"], storm.facts["who"]) == (2, "operator")
    assert "contact support" in storm.facts["title"]
    assert len(await many.direct("sync")) == 2


async def test_a_network_that_is_down_is_one_storm_over_all_providers(many: AlertRig) -> None:
    """Google, Microsoft and a server of one's own, by the same failure of the way: look at our own network."""
    await many.add("g")
    await many.add("m", provider="microsoft")
    await many.add("o", provider="other")
    for name in ("g", "m", "o"):
        await many.break_(name, AWAY)
    await many.look()
    storm = await many.storm()
    assert (storm.facts["provider"], storm.facts["who"], storm.facts["total"]) == ("network", "operator", 3)


async def test_one_providers_outage_and_a_coincidence_stay_apart(many: AlertRig) -> None:
    """Three of Google and one of Microsoft: that says nothing about our network."""
    await many.add_many("g1", "g2", "g3")
    await many.add("m", provider="microsoft")
    for name in ("g1", "g2", "g3", "m"):
        await many.break_(name, AWAY)
    await many.look()
    assert (await many.storm()).facts["provider"] == "google"
    assert (await many.alert("m")).facts["folded"] is None


async def test_a_providers_storm_widens_where_others_follow(many: AlertRig) -> None:
    """The same card says that it is the network by now."""
    await many.add_many("g1", "g2", "g3")
    await many.add_many("m1", "m2", "m3", provider="microsoft")
    for name in ("g1", "g2", "g3"):
        await many.break_(name, AWAY)
    await many.look()
    before = await many.storm()
    for name in ("m1", "m2", "m3"):
        await many.break_(name, AWAY)
        await many.look()
    storm = await many.storm()
    assert storm.id == before.id
    assert (storm.facts["provider"], storm.facts["total"]) == ("network", 6)
    assert len(await many.in_channel("storm")) == 1


async def test_many_companies_shut_out_at_once_are_the_providers_outage(many: AlertRig) -> None:
    """More than three mailboxes, different tenants: no administrator did that. Of one tenant, one may have."""
    for number in range(3):
        await many.add(f"a{number}", provider="microsoft")
        await many.break_(f"a{number}", SHUT)
    await many.look()
    assert "outage" not in (await many.storm()).facts["title"].lower()
    await many.add("b", provider="microsoft", address="rita@other.test")
    await many.break_("b", SHUT)
    await many.look()
    storm = await many.storm()
    assert (storm.facts["title"], storm.facts["who"]) == ("An outage at the mail provider", "vendor")
    for name in ("a0", "a1", "b"):
        await many.mend(name)
    await many.look()
    assert (await many.storm()).facts["who"] == "vendor"


async def test_the_card_follows_until_the_last_is_back(many: AlertRig) -> None:
    """2 of 3 back, then recovered, with how long it took; the same message all the time."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name)
    await many.look()
    many.rig.clock.pass_time(minutes=30)
    await many.mend("a")
    await many.mend("b")
    await many.look()
    storm = await many.storm()
    assert (storm.facts["recovered"], storm.facts["total"], storm.facts["state"]) == (2, 3, "broken")
    assert [one["state"] for one in storm.facts["mailboxes"]] == ["recovered", "recovered", "broken"]
    await many.mend("c")
    await many.look()
    (card,) = await many.in_channel("storm")
    assert (card.facts["state"], card.facts["recovered"], card.facts["down_minutes"]) == ("recovered", 3, 30)
    assert await many.open_alerts() == []


async def test_who_breaks_again_is_counted_once(many: AlertRig) -> None:
    """Back, and broken by the same once more: still three mailboxes."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name)
    await many.look()
    await many.mend("a")
    await many.look()
    await many.break_("a")
    await many.look()
    storm = await many.storm()
    assert (storm.facts["recovered"], storm.facts["total"]) == (0, 3)


async def test_who_is_switched_off_or_broken_otherwise_leaves_the_storm(many: AlertRig) -> None:
    """Paused ones are not waited for; another cause is told on a card of its own."""
    for name in await many.add_many("a", "b", "c", "d"):
        await many.break_(name, AWAY)
    await many.look()
    await many.rig.mailboxes.pause(RITA, "a")
    await many.break_("b", WRONG)
    await many.look()
    storm = await many.storm()
    assert [one["mailbox_id"] for one in storm.facts["mailboxes"]] == ["c", "d"]
    (other,) = [one for one in await many.in_channel("sync") if one.facts["cause"] == "credentials_rejected"]
    assert (other.facts["mailbox_id"], other.facts["folded"]) == ("b", None)
    await many.mend("c")
    await many.mend("d")
    await many.look()
    (card,) = await many.in_channel("storm")
    assert card.facts["state"] == "recovered"


async def test_a_storm_that_everybody_left_is_closed_not_recovered(many: AlertRig) -> None:
    """Nothing is back, so nothing says so."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name)
    await many.look()
    for name in ("a", "b", "c"):
        await many.rig.mailboxes.disconnect(RITA, name)
    await many.look()
    (card,) = await many.in_channel("storm")
    assert card.facts["state"] == "closed"


async def test_resync_all_asks_for_all_that_are_not_back(many: AlertRig) -> None:
    """By an admin; the card says so, and says broken again when they have been judged again."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name)
    await many.look()
    await many.mend("a")
    await many.look()
    storm = await many.storm()
    with pytest.raises(NotAllowedError):
        await many.desk.resync_storm(RITA, storm.id, storm.facts["version"])
    asked = await many.desk.resync_storm(ADA, storm.id, storm.facts["version"])
    assert sorted(one.id for one in asked) == ["b", "c"]
    await many.look()
    storm = await many.storm()
    assert (storm.facts["state"], storm.facts["actor"]) == ("resyncing", "U0ADA")
    with pytest.raises(RefusedError, match="resynced already"):
        await many.desk.resync_storm(ADA, storm.id, storm.facts["version"])
    many.rig.clock.pass_time(minutes=1)
    await many.break_("b")
    await many.break_("c")
    await many.look()
    assert ((await many.storm()).facts["state"], (await many.storm()).facts["actor"]) == ("broken", None)


async def test_a_further_mailbox_makes_no_button_stale(many: AlertRig) -> None:
    """A count is no decision: the admin's click on the card of a minute ago holds."""
    for name in await many.add_many("a", "b", "c", "d"):
        if name != "d":
            await many.break_(name)
    await many.look()
    version = (await many.storm()).facts["version"]
    await many.break_("d")
    await many.look()
    assert (await many.desk.acknowledge(ADA, (await many.storm()).id, version)).facts["acknowledged_by"] == "U0ADA"


async def test_hundreds_of_mailboxes_fit_on_one_card(many: AlertRig) -> None:
    """The first fifty are named, all are counted; what the engine notes for itself is not shown."""
    names = [f"m{number:03}" for number in range(120)]
    for name in names:
        await many.add(name)
        await many.break_(name)
    await many.look()
    storm = await many.storm()
    assert (len(storm.facts["mailboxes"]), storm.facts["total"]) == (50, 120)
    (card,) = await many.in_channel("storm")
    assert "members" not in card.facts


async def test_a_mailbox_that_was_given_up_is_still_in_it(many: AlertRig) -> None:
    """After two days of failure: not tried, not back."""
    for name in await many.add_many("a", "b", "c"):
        await many.break_(name, AWAY)
    await many.look()
    await many.break_("a", AWAY, status=MailboxStatus.CONNECTION_ISSUE)
    await many.look()
    assert (await many.storm()).facts["recovered"] == 0
    (card,) = [one for one in await many.direct("sync") if one.facts["mailbox_id"] == "a"]
    assert card.facts["status"] == "connection_issue"


async def test_a_storm_that_ended_beside_a_late_break_takes_nobody_with_it(many: AlertRig) -> None:
    """A mailbox that joined a storm as it ended is told on a card of its own."""
    for name in await many.add_many("a", "b", "c", "d"):
        if name != "d":
            await many.break_(name)
    await many.look()
    for name in ("a", "b", "c"):
        await many.mend(name)
    await many.break_("d")
    storm = await many.storm()
    async with many.rig.store.write("T1") as uow:
        # Another process ends it between the two transactions.
        await AlertBoard(many.rig.tools).change(uow, storm, {"state": "recovered"}, state=AlertState.RESOLVED)
    await many.look()
    (card,) = [one for one in await many.in_channel("sync") if one.facts["mailbox_id"] == "d"]
    assert card.facts["folded"] is None


async def test_two_loops_at_once_make_one_storm(rig_on_both: Rig) -> None:
    """Two processes look at the same moment: the slower one finds it done."""
    many = AlertRig.on(rig_on_both)
    await many.open()
    for name in await many.add_many("a", "b", "c", "d"):
        await many.break_(name)
    other = AlertRig.on(rig_on_both)
    await asyncio.gather(many.storms.settle("T1"), other.storms.settle("T1"), many.mend("d"))
    await many.look()
    storm = await many.storm()
    assert (storm.facts["total"] - storm.facts["recovered"], len(await many.in_channel("storm"))) == (3, 1)


async def test_two_admins_press_at_once(rig_on_both: Rig) -> None:
    """One decides, the other is told who did."""
    many = AlertRig.on(rig_on_both)
    await many.open()
    await many.add("a")
    await many.break_("a")
    alert = await many.alert("a")
    results = await asyncio.gather(
        many.desk.acknowledge(ADA, alert.id, alert.facts["version"]),
        many.desk.mute(RITA, alert.id, alert.facts["version"]),
        return_exceptions=True,
    )
    (late,) = [one for one in results if isinstance(one, Exception)]
    assert isinstance(late, RefusedError)
    assert "was faster" in late.message
