"""Writes the mail of a stage for one person: merge fields, subject, thread."""

from __future__ import annotations

from datetime import datetime

from core.domain.account import Mailbox
from core.domain.address import domain_of
from core.domain.campaign import Campaign, Stage
from core.domain.compose import Letter
from core.domain.delivery import message_id_for
from core.domain.preflight import HoldBack
from core.domain.reasons import reason
from core.domain.subject import base_subject
from core.domain.template import Rendered, html_from_text, render
from core.ports.storage import DueDelivery


def write_letter(
    due: DueDelivery, campaign: Campaign, stage: Stage, recipient: str, now: datetime
) -> Letter | HoldBack:
    """The mail, or the reason why it cannot be written yet: a merge field without value. ``due.mailbox`` is there."""
    mailbox, delivery = due.mailbox, due.delivery
    assert mailbox is not None
    values = _merge_values(due, mailbox, recipient)
    subject = _subject(due, campaign, stage, values)
    text = render(stage.body, values)
    html = render(stage.html, values, escape=True) if stage.html else None
    missing = sorted({name for part in (subject, text, html) if part is not None for name in part.missing})
    if missing:
        return HoldBack(reason("missing_variable", f"Missing: {', '.join(missing)}."))
    follows = stage.sender is None and not stage.subject
    return Letter(
        sender=mailbox.address,
        sender_name=mailbox.display_name,
        recipient=recipient,
        recipient_name=f"{due.person.first_name} {due.person.last_name}".strip(),
        subject=subject.text,
        text=text.text,
        html=html.text if html else html_from_text(text.text),
        message_id=delivery.message_id
        or message_id_for(delivery.enrollment_id, delivery.stage, delivery.series, domain_of(mailbox.address)),
        date=now,
        references=due.previous_message_ids if follows else (),
        extra=(("X-Rethread-Delivery", delivery.id),),
    )


def _subject(due: DueDelivery, campaign: Campaign, stage: Stage, values: dict[str, str]) -> Rendered:
    """The stage's own subject; in a thread that of its first mail. Where nothing went out before (the first stage was
    skipped) this mail opens the thread under the subject that the first would have had."""
    if stage.subject:
        return render(stage.subject, values)
    if due.previous_message_ids:
        return Rendered(f"Re: {base_subject(due.thread_subject or '')}", ())
    earlier = (one.subject for one in campaign.stages[: stage.position] if one.kind == "email" and one.subject)
    return render(next(earlier, ""), values)


def _merge_values(due: DueDelivery, mailbox: Mailbox, recipient: str) -> dict[str, str]:
    person = due.person
    return {
        **person.fields,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.name if (person.first_name or person.last_name) else "",
        "email": recipient,
        "phone": person.phone,
        "sender_name": mailbox.display_name,
        "sender_email": mailbox.address,
    }
