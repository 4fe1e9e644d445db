"""A campaign with people in every state behind the real face, and what a person presses in its windows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.prospect_uses import outreach_of
from bot.slack.uses import Services
from core.clock import SystemClock
from core.domain.delivery import DeliveryState
from core.domain.enrollment import Enrollment, ProspectStatus
from core.domain.reasons import reason
from sandbox.slack import Message, SlackSandbox
from sandbox.slack.config import Json
from sandbox.slack.model import View
from storage.sql_store import SqlStore
from tests.fakes.services import TEAM
from tests.integration.slack.real_engine import RITA, RealEngine, real_engine

NAME = "Backend engineers, autumn"
CHANNEL = "C0ALERTS"
_WHY = {
    ProspectStatus.BOUNCED: "canceled",
    ProspectStatus.NOT_DELIVERED: "email_not_synced",
    ProspectStatus.PENDING: "mailbox_limit",
}


@dataclass
class ProspectRig:
    """Prospects by number, from 1."""

    engine: RealEngine
    slack: SlackSandbox

    @property
    def store(self) -> SqlStore:
        return self.engine.store

    @property
    def services(self) -> Services:
        return replace(self.engine.services, outreach=outreach_of(self.engine.uses, SystemClock()))

    async def launch(self, statuses: Sequence[ProspectStatus]) -> None:
        """One prospect for each; the failed ones with a failed attempt."""
        await self.engine.campaign(people=len(statuses))
        await self.engine.uses.campaigns.start(RITA, NAME)
        for number, status in enumerate(statuses, 1):
            if status is not ProspectStatus.ACTIVE:
                await self.put(number, status)

    async def put(self, number: int, status: ProspectStatus, code: str = "") -> Enrollment:
        """As the engine would have left them."""
        one = await self.prospect(number)
        why = code or _WHY.get(status, "")
        async with self.store.write(TEAM) as uow:
            attempt = await uow.deliveries.open_of(one.id)
            assert attempt is not None
            if status in (ProspectStatus.BOUNCED, ProspectStatus.SPAM, ProspectStatus.NOT_DELIVERED):
                words = "550 5.1.1 No such user <b>here</b>"
                state = DeliveryState.FAILED
                to = f"person{number}@candidates.example"
                changed = replace(attempt, state=state, reason=why or None, server_text=words, recipient=to)
                assert await uow.deliveries.save(changed)
            shown = reason(why) if why else None
            assert await uow.enrollments.save(replace(one, status=status, reason=shown))
        return await self.prospect(number)

    async def prospect(self, number: int) -> Enrollment:
        async with self.store.read(TEAM) as uow:
            campaign = await uow.campaigns.by_name(NAME)
            person = await uow.people.by_address(f"person{number}@candidates.example")
            assert campaign is not None
            assert person is not None
            found = await uow.enrollments.find(campaign.id, person.id)
        assert found is not None
        return found

    async def statuses(self, count: int) -> list[str]:
        return [(await self.prospect(number)).status.value for number in range(1, count + 1)]

    # What a person types and presses

    async def told(self, text: str, user: str = "U0RITA", command: str = "/outreach") -> Message:
        """The answer that only this person sees."""
        before = len(self.slack.ephemerals(user))
        assert await self.slack.command(user, CHANNEL, command, text) == {"ok": True}
        return await self.slack.wait_for(lambda: next(iter(self.slack.ephemerals(user)[before:]), None))

    async def presses(self, message: Message, action_id: str, user: str = "U0RITA", value: str | None = None) -> None:
        assert await self.slack.click(user, CHANNEL, message.ts, action_id, value) == {"ok": True}

    async def window(self, *parts: str, user: str = "U0RITA") -> View:
        """The window on top, once it holds these words."""
        return await self.slack.wait_view(user, lambda view: all(part in words(view) for part in parts))

    async def opens_list(self, *parts: str) -> View:
        card = await self.told(f'status "{NAME}"')
        await self.presses(card, ids.LIST_OPEN)
        return await self.window(*(parts or ("Select all",)))

    async def uses(self, view: View, block_id: str, given: Json, user: str = "U0RITA") -> None:
        container = {"type": "view", "view_id": view.id}
        assert await self.slack.interactions.act(user, container, {"block_id": block_id, **given}) == {"ok": True}

    async def ticks(self, view: View, *numbers: int) -> None:
        for number in numbers:
            one = await self.prospect(number)
            value = encode(one.id, one.version)
            option = {"text": {"type": "plain_text", "text": "Select"}, "value": value}
            given = {"action_id": ids.TICK, "type": "checkboxes", "selected_options": [option]}
            await self.uses(view, f"row.{value}", given)

    async def chooses_all(self, view: View) -> None:
        given = {"action_id": ids.WHICH, "type": "radio_buttons", "selected_option": {"value": "all"}}
        await self.uses(view, "which", given)

    async def clicks(self, view: View, action_id: str, value: str | None = None, user: str = "U0RITA") -> None:
        assert await self.slack.click_view(user, view.id, action_id, value) == {"ok": True}


def words(view: View) -> str:
    return json.dumps(view.content, ensure_ascii=False)


def said(message: Message) -> str:
    return message.text + json.dumps(message.blocks, ensure_ascii=False)


async def prospect_rig(store: SqlStore, slack: SlackSandbox) -> ProspectRig:
    return ProspectRig(await real_engine(store), slack)
