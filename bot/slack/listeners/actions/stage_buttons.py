"""Retry, Fix address, Skip, Mark finished; It was sent, Send again, Drop."""

from __future__ import annotations

from bot.slack.action_ids import STALE, STALE_FIX, ButtonValue
from bot.slack.blocks import outreach_status, prospect_sheet, stage_card
from bot.slack.prospect_uses import Outreach
from bot.slack.uses import Answer, ProspectUses
from core.domain.actor import Actor
from core.domain.enrollment import ProspectEvent
from core.errors import RefusedError


class StageButtons:
    """Mostly nothing to say on success: the card changes for everybody. Raises RethreadError kinds; of two people who
    press at once the second hears who was faster."""

    def __init__(self, prospects: ProspectUses, outreach: Outreach | None) -> None:
        self._prospects, self._outreach = prospects, outreach

    async def retry(self, actor: Actor, value: ButtonValue) -> Answer:
        """One that is unlikely to help is asked about first, beside the card."""
        try:
            await self._prospects.act_on_card(actor, ProspectEvent.RETRY, value.id, value.version)
        except RefusedError as refused:
            if refused.reason != "retry_warning":
                raise
            return stage_card.retry_warning(refused.message, refused.fix, value)
        return None

    async def retry_anyway(self, actor: Actor, value: ButtonValue) -> Answer:
        await self._prospects.act_on_card(actor, ProspectEvent.RETRY, value.id, value.version, confirmed=True)
        return stage_card.retried_anyway()

    async def retry_heap(self, actor: Actor, value: ButtonValue) -> Answer:
        """All that failed in a campaign for one reason; says of each that was refused why."""
        result = await self._prospects.retry_heap(actor, value.id, value.choice)
        refused = [(one.email, one.reason) for one in result.refused]
        return outreach_status.retried("the campaign", result.retried, refused)

    async def fix_address(self, actor: Actor, value: ButtonValue) -> Answer:
        """A window in which another address is given. Raises RefusedError where somebody was faster."""
        if self._outreach is None:
            raise RefusedError("Addresses cannot be changed here.", reason="not_offered")
        sheet = await self._outreach.sheets.of_attempt(actor, value.id)
        if sheet.enrollment.version != value.version:
            raise RefusedError(STALE, reason="button_stale", fix=STALE_FIX)
        return prospect_sheet.address_form(sheet, {})

    async def skip(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.act_on_card(actor, ProspectEvent.SKIP, value.id, value.version)

    async def finish(self, actor: Actor, value: ButtonValue) -> Answer:
        """Says until when it can be undone, with the button for that (X8)."""
        enrollment = await self._prospects.act_on_card(actor, ProspectEvent.FINISH, value.id, value.version)
        if self._outreach is None:
            return None
        sheet = await self._outreach.sheets.of(actor, enrollment.id)
        return prospect_sheet.sheet_card(sheet, prospect_sheet.DONE[ProspectEvent.FINISH], replaces=False)

    async def was_sent(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.settle(actor, "sent", value.id, value.version)

    async def send_again(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.settle(actor, "resend", value.id, value.version)

    async def drop(self, actor: Actor, value: ButtonValue) -> None:
        await self._prospects.settle(actor, "drop", value.id, value.version)
