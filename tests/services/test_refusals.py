"""Many stages that fail at once for one reason: one card for all of them, and one button."""

from __future__ import annotations

import pytest

from core.errors import NotAllowedError
from core.services.refusals import CARDS_A_DAY
from tests.services.rig import ADA, CAMPAIGN, OMAR, RITA, Rig

PEOPLE = CARDS_A_DAY + 8


async def overflow(rig: Rig) -> None:
    """A day's limit of three mails, and eighteen are due."""
    await rig.open(daily_email_limit=3)
    await rig.launch(PEOPLE)
    for _ in range(PEOPLE):
        await rig.send_due()


async def campaign_id(rig: Rig) -> str:
    return (await rig.prospect()).campaign_id


async def test_beyond_a_handful_that_fail_alike_one_card_counts_them(rig: Rig) -> None:
    """R123, X10: each prospect shows the reason; the channel hears of the cause, not of each mail."""
    await overflow(rig)
    shown = [await rig.shows(number + 1) for number in range(PEOPLE)]
    assert shown.count("Not Delivered 1 email_limit") == PEOPLE - 3
    single, heap = await rig.cards("stage:"), await rig.card("stages:")
    assert len(single) <= CARDS_A_DAY
    assert len(single) + heap.facts["count"] == PEOPLE - 3
    assert (heap.facts["state"], heap.facts["campaign"], heap.kind) == ("failed", CAMPAIGN, "stages_failed")


async def test_the_line_in_the_ledger_is_the_same_as_of_one_that_fails_alone(rig: Rig) -> None:
    await overflow(rig)
    failed = [number + 1 for number in range(PEOPLE) if "email_limit" in await rig.shows(number + 1)]
    assert len({tuple(await rig.events(number)) for number in failed}) == 1
    assert {tuple(await rig.states(number)) for number in failed} == {("1.1 failed",)}


async def test_retry_all_takes_back_every_one_of_them_and_the_card_says_who_pressed(rig: Rig) -> None:
    """The next day there is room again."""
    await overflow(rig)
    rig.clock.pass_time(days=1)
    result = await rig.prospects.retry_heap(RITA, await campaign_id(rig), "email_limit")
    assert (result.retried, list(result.refused)) == (PEOPLE - 3, [])
    heap = await rig.card("stages:")
    assert (heap.facts["state"], heap.facts["actor"]) == ("retrying", RITA.user)
    assert (await rig.prospects.retry_heap(ADA, await campaign_id(rig), "email_limit")).retried == 0


async def test_another_recruiters_button_changes_nothing(rig: Rig) -> None:
    await overflow(rig)
    with pytest.raises(NotAllowedError):
        await rig.prospects.retry_heap(OMAR, await campaign_id(rig), "email_limit")
    assert (await rig.card("stages:")).facts["state"] == "failed"
