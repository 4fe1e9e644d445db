"""May this text go now? The gates of a stage by text message, inside the claiming transaction (R130, R132)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.domain.campaign import Campaign, Stage
from core.domain.people import Person
from core.domain.phone import e164, is_country
from core.domain.preflight import HoldBack, Postpone, Refuse, Throttle
from core.domain.reasons import reason
from core.domain.schedule import calendar_of, next_open
from core.domain.sms_text import checked
from core.domain.template import fields_in, render
from core.domain.text_policy import text_refused
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import InputError
from core.ports.storage import DueDelivery, UnitOfWork
from core.services.limits import Allowance
from core.services.progress import Progress

Verdict = HoldBack | Postpone | Throttle | Refuse

_NOT_A_WISH = "bounced"  # a mail that came back says nothing of calls and texts
_OF_SENDER = frozenset({"sender_name", "sender_email"})


@dataclass(frozen=True, slots=True)
class Text:
    """A text that has passed every gate. ``recipient`` is in E.164."""

    recipient: str
    text: str


class TextGate:
    """``configured``: whether this installation has an account at a text message provider. A text needs no mailbox,
    and no look into one; a reply by mail stops it like every stage."""

    def __init__(self, progress: Progress, *, configured: bool) -> None:
        self._progress = progress
        self._configured = configured

    async def ask(
        self,
        uow: UnitOfWork,
        settings: WorkspaceSettings,
        allowance: Allowance,
        now: datetime,
        due: DueDelivery,
        campaign: Campaign,
        stage: Stage,
        raws: Mapping[str, bytes],
    ) -> Text | Verdict:
        """In order; the first that speaks decides. ``raws`` holds the texts of earlier tries by delivery id."""
        if not self._configured:
            return Refuse(reason("sms_off"))
        text = await self._written(uow, settings, due, campaign, stage, raws.get(due.delivery.id))
        if not isinstance(text, Text):
            return text
        if await is_not_to_be_contacted(uow, due.person):
            return Refuse(reason("suppressed"))
        closed = outside_window(campaign, due.person, now)
        return closed or allowance.ask(due, campaign, stage.kind, text.recipient) or text

    async def _written(
        self,
        uow: UnitOfWork,
        settings: WorkspaceSettings,
        due: DueDelivery,
        campaign: Campaign,
        stage: Stage,
        frozen: bytes | None,
    ) -> Text | HoldBack | Refuse:
        """As it was frozen at the first try, else written now."""
        if frozen is not None and due.delivery.recipient is not None:
            return Text(due.delivery.recipient, frozen.decode())
        number = e164(due.person.phone, phone_country(settings))
        if number is None:
            return Refuse(reason("no_phone"))
        rendered = render(stage.body, await self._values(uow, due, campaign, stage))
        if rendered.missing:
            return HoldBack(reason("missing_variable", f"Missing: {', '.join(sorted(rendered.missing))}."))
        try:
            return Text(number, checked(rendered.text.strip()))
        except InputError as error:
            return Refuse(text_refused(error))

    async def _values(self, uow: UnitOfWork, due: DueDelivery, campaign: Campaign, stage: Stage) -> dict[str, str]:
        primary = due.person.primary
        values = {**due.person.merge_fields, "email": primary.address if primary else ""}
        if _OF_SENDER & fields_in(stage.body):
            sender = await self._progress.sender_for(uow, due.enrollment, campaign, stage.position)
            if sender is not None:
                values |= {"sender_name": sender.display_name, "sender_email": sender.address}
        return values


def phone_country(settings: WorkspaceSettings) -> str | None:
    """Whose telephone numbers without a country code are, as ``phone.e164`` wants it."""
    country = next(iter(settings["phone_country"]), "").strip().upper()
    return country if is_country(country) else None


def outside_window(campaign: Campaign, person: Person, now: datetime) -> Postpone | None:
    """Texts and task cards come inside the prospect's send window, as mails do."""
    calendar = calendar_of(campaign.definition, prospect_zone=person.timezone, campaign_zone=campaign.timezone)
    opening = next_open(now, calendar)
    return Postpone(opening) if opening > now else None


async def is_not_to_be_contacted(uow: UnitOfWork, person: Person) -> bool:
    """Whether the person, or somebody for them, asked that they be left alone."""
    hits = await uow.suppressions.among({one.key for one in person.addresses})
    return any(hit.code != _NOT_A_WISH for hit in hits.values())
