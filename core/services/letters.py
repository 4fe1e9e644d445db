"""Writes the mail of a stage for one person: merge fields, subject and thread, signature, files, tracking, unsubscribe.

What a whole batch of mails needs is read once (``LetterWriter.batch``); each mail is then written without a question
to the database.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from core.domain.account import Mailbox
from core.domain.address import domain_of
from core.domain.attachment import Attachment
from core.domain.campaign import Campaign, Stage
from core.domain.compose import Letter
from core.domain.delivery import message_id_for
from core.domain.html_text import html_to_text
from core.domain.preflight import HoldBack, Refuse
from core.domain.reasons import reason
from core.domain.sending_address import sender_address
from core.domain.subject import base_subject
from core.domain.template import Rendered, html_from_text, render
from core.domain.tracked_links import Links, Tracking, appended
from core.domain.workspace_settings import WorkspaceSettings
from core.errors import InputError
from core.ports.storage import CampaignFile, DueDelivery, UnitOfWork

__all__ = ["LetterBatch", "LetterWriter", "sender_address"]

_KEPT_ENCODED: Final = 8


class LetterWriter:
    """``links`` None: nothing is tracked, and no mail says how to unsubscribe."""

    def __init__(self, links: Links | None = None) -> None:
        self._links = links
        self._attachments: dict[tuple[str, str, str], Attachment] = {}

    async def batch(self, uow: UnitOfWork, settings: WorkspaceSettings, campaigns: Collection[Campaign]) -> LetterBatch:
        """Reads what the mails of these campaigns need: one question for each campaign that attaches files."""
        files: dict[tuple[str, str], Attachment] = {}
        for campaign in campaigns:
            names = {name for stage in campaign.stages for name in stage.attachments}
            found = await uow.campaign_files.many(campaign.id, sorted(names)) if names else []
            for file in found:
                with suppress(InputError):  # a name that cannot be written: as if it were not there
                    files[campaign.id, file.name] = self._encoded(file)
        return LetterBatch(self._links, settings, files)

    def _encoded(self, file: CampaignFile) -> Attachment:
        """The same file goes with many mails: the last few stay encoded."""
        key = (file.name, file.content_type, file.sha256)
        attachment = self._attachments.pop(key, None) or Attachment.of(file.name, file.content, file.content_type)
        self._attachments[key] = attachment
        if len(self._attachments) > _KEPT_ENCODED:
            del self._attachments[next(iter(self._attachments))]
        return attachment


@dataclass(frozen=True, slots=True)
class LetterBatch:
    """Writes the mails of one claimed batch. ``files`` by (campaign id, name)."""

    links: Links | None
    settings: WorkspaceSettings
    files: Mapping[tuple[str, str], Attachment]

    def write(
        self, due: DueDelivery, campaign: Campaign, stage: Stage, recipient: str, now: datetime
    ) -> Letter | HoldBack | Refuse:
        """The mail, or why it cannot be written: a merge field without value, a file that is gone. ``due.mailbox`` is
        there."""
        mailbox, delivery = due.mailbox, due.delivery
        assert mailbox is not None
        gone = [name for name in stage.attachments if (campaign.id, name) not in self.files]
        if gone:
            return Refuse(reason("attachment_missing", f"Missing: {', '.join(gone)}."))
        sender = sender_address(campaign, stage, mailbox)
        values = _merge_values(due, mailbox, sender, recipient)
        values["unsubscribe_link"] = self._unsubscribe_link(due, mailbox, recipient)
        subject = _subject(due, campaign, stage, values)
        text = render(stage.body, values)
        page = render(stage.html, values, escape=True) if stage.html else None
        missing = sorted({name for part in (subject, text, page) if part is not None for name in part.missing})
        if missing:
            return HoldBack(reason("missing_variable", f"Missing: {', '.join(missing)}."))
        parts = self._parts(due, campaign, stage, text.text, page.text if page else html_from_text(text.text))
        follows = stage.sender is None and not stage.subject
        return Letter(
            sender=sender,
            sender_name=mailbox.display_name,
            recipient=recipient,
            recipient_name=f"{due.person.first_name} {due.person.last_name}".strip(),
            subject=subject.text,
            text=parts.text,
            html=parts.html,
            message_id=delivery.message_id
            or message_id_for(delivery.enrollment_id, delivery.stage, delivery.series, domain_of(mailbox.address)),
            date=now,
            references=due.previous_message_ids if follows else (),
            extra=(("X-Rethread-Delivery", delivery.id), *self._unsubscribe_headers(due, mailbox, recipient)),
            attachments=tuple(self.files[campaign.id, name] for name in stage.attachments if name not in parts.linked),
        )

    def _parts(self, due: DueDelivery, campaign: Campaign, stage: Stage, text: str, page: str) -> _Parts:
        """Text and HTML with the files' links, the signature and the tracking. The text part keeps its own links."""
        delivery, links = due.delivery, self.links
        tracking = self._tracking(campaign)
        if links and tracking.clicks:
            page = links.with_clicks(page, delivery.workspace, delivery.id)
        files = stage.attachments if tracking.downloads else ()
        linked = {name: links.file(delivery.workspace, delivery.id, name) for name in files} if links else {}
        parts = _Parts(text, page)
        for name, url in linked.items():
            if url:
                parts = parts.plus(f"{name}: {url}", f'<p><a href="{html.escape(url)}">{html.escape(name)}</a></p>')
        if due.mailbox is not None:
            parts = _signed(parts, due.mailbox)
        if links and tracking.opens:
            parts = replace(parts, html=links.with_pixel(parts.html, delivery.workspace, delivery.id))
        return replace(parts, linked=frozenset(name for name, url in linked.items() if url))

    def _tracking(self, campaign: Campaign) -> Tracking:
        allowed = self.links is not None and self.links.may_track and self.settings["tracking"] == "on"
        return Tracking.of(campaign.definition.get("tracking"), allowed=allowed)

    def _unsubscribe_link(self, due: DueDelivery, mailbox: Mailbox, recipient: str) -> str:
        """For the visible link: a page of ours where that can be reached safely, else a mail to write."""
        workspace, delivery, links = due.delivery.workspace, due.delivery.id, self.links
        if links is None:
            return f"mailto:{mailbox.address}?subject=unsubscribe"
        page = links.unsubscribe(workspace, delivery, recipient) if links.may_track else None
        return page or links.unsubscribe_by_mail(workspace, delivery, recipient, to=mailbox.address) or ""

    def _unsubscribe_headers(self, due: DueDelivery, mailbox: Mailbox, recipient: str) -> tuple[tuple[str, str], ...]:
        """RFC 2369; with HTTPS also one click (RFC 8058)."""
        workspace, delivery, links = due.delivery.workspace, due.delivery.id, self.links
        if links is None or self.settings["unsubscribe"] != "on":
            return ()
        by_mail = links.unsubscribe_by_mail(workspace, delivery, recipient, to=mailbox.address)
        page = links.unsubscribe(workspace, delivery, recipient) if links.https else None
        if by_mail is None or page is None:
            return (("List-Unsubscribe", f"<{by_mail}>"),) if by_mail else ()
        return (
            ("List-Unsubscribe", f"<{page}>, <{by_mail}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The two forms of one mail; ``linked`` names the files that go as links."""

    text: str
    html: str
    linked: frozenset[str] = frozenset()

    def plus(self, text: str, page: str) -> _Parts:
        """With something below."""
        return replace(self, text=f"{self.text.rstrip()}\n\n{text}", html=appended(self.html, page))


def _signed(parts: _Parts, mailbox: Mailbox) -> _Parts:
    """The mailbox's signature below (R171)."""
    text, page = mailbox.signature_text.strip(), mailbox.signature_html.strip()
    if not text and not page:
        return parts
    return parts.plus(text or html_to_text(page), page or html_from_text(text))


def _subject(due: DueDelivery, campaign: Campaign, stage: Stage, values: dict[str, str]) -> Rendered:
    """The stage's own subject; in a thread that of its first mail. Where nothing went out before (the first stage was
    skipped) this mail opens the thread under the subject that the first would have had."""
    if stage.subject:
        return render(stage.subject, values)
    if due.previous_message_ids:
        return Rendered(f"Re: {base_subject(due.thread_subject or '')}", ())
    earlier = (one.subject for one in campaign.stages[: stage.position] if one.kind == "email" and one.subject)
    return render(next(earlier, ""), values)


def _merge_values(due: DueDelivery, mailbox: Mailbox, sender: str, recipient: str) -> dict[str, str]:
    person = due.person
    return {
        **person.fields,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.name if (person.first_name or person.last_name) else "",
        "email": recipient,
        "phone": person.phone,
        "sender_name": mailbox.display_name,
        "sender_email": sender,
    }
