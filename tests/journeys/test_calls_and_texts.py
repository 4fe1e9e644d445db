"""Calls, tasks and texts in a whole engine: on real mail servers, a real HTTP provider and both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sandbox.mail import MailHost
from sandbox.sms import SmsHost
from storage.sql_store import SqlStore
from tests.journeys.engine_rig import ADA, DEADLINE, RITA, NotedCard, Rig, running

NAME = "Backend engineers"
MAYA, PHONE = "maya.lind@candidates.example", "+46701740605"
PEOPLE = f"first_name,last_name,personal_email,phone\nMaya,Lind,{MAYA},070-174 06 05\n".encode()
FILE = """\
name: Backend engineers
from: rita@agency.test
owner: U0RITA
stages:
  - kind: call
    required: true
    note: Ask about the notice period
  - kind: task
    note: Look at her talk
  - kind: sms
    body: "Hi {{first_name}}, shall we talk on Thursday?"
  - subject: "{{first_name}}, as promised"
    body: The details.
"""
TEXT = "Hi Maya, shall we talk on Thursday?"


@pytest.fixture
async def sms() -> AsyncIterator[SmsHost]:
    async with SmsHost() as provider:
        yield provider


@pytest.fixture
async def rig(store: SqlStore, sms: SmsHost) -> AsyncIterator[Rig]:
    async with MailHost() as host, running(store, host, sms=sms, phone_country=["SE"]) as one:
        yield one


async def launch(rig: Rig) -> NotedCard:
    """The campaign runs for Maya, and asks for the call."""
    await rig.connect()
    await rig.light("rita@agency.test", "green")
    await rig.uses.people.import_csv(ADA, PEOPLE)
    await rig.uses.campaigns.import_file(ADA, FILE)
    await rig.uses.campaigns.enroll(ADA, NAME, [MAYA])
    await rig.uses.campaigns.start(ADA, NAME)
    return await a_card(rig, lambda facts: facts["kind"] == "call")


async def a_card(rig: Rig, fits: Callable[[Any], bool]) -> NotedCard:
    def there() -> list[NotedCard]:
        return [one for one in rig.notifier.of("task", "C0REPLIES") if fits(one.facts)]

    found: list[NotedCard] = await rig.notifier.wait(there, "card of a task")
    return found[0]


async def test_a_required_call_blocks_until_done_and_then_the_text_arrives_on_the_telephone(
    rig: Rig, sms: SmsHost
) -> None:
    """R149, R150: nothing goes before the call is done; then the task is told, the text arrives, the mail goes."""
    call = await launch(rig)
    await rig.prospect(NAME, MAYA, "Pending")
    assert (call.facts["phone"], call.facts["state"]) == ("070-174 06 05", "open")
    assert sms.texts == []
    assert [one for one in rig.host.accepted if MAYA in one.rcpts] == []
    await rig.uses.tasks.done(RITA, call.facts["delivery_id"])
    await rig.notifier.wait(lambda: call.facts["state"] == "done", "the card that says done")
    await sms.wait_until(lambda: sms.texts_to(PHONE) == [TEXT], timeout=DEADLINE)
    task = await a_card(rig, lambda facts: facts["kind"] == "task")
    assert not task.facts["required"]
    await rig.host.wait_accepted(lambda one: MAYA in one.rcpts, timeout=DEADLINE)
    await rig.prospect(NAME, MAYA, "Complete")
    assert sms.texts_to(PHONE) == [TEXT]


async def test_a_number_that_answered_stop_fails_with_its_reason(rig: Rig, sms: SmsHost) -> None:
    """R130, R132: the provider's number in words, and a card to retry from."""
    sms.stop(PHONE)
    call = await launch(rig)
    await rig.uses.tasks.skip(RITA, call.facts["delivery_id"])
    failed = (await rig.notifier.wait(lambda: rig.notifier.of("stage_failed"), "card of the failed text"))[0]
    assert failed.facts["reason_code"] == "sms_opted_out"
    assert "21610" in failed.facts["server_text"]
    assert failed.facts["email"] == PHONE
