"""The lint of a whole campaign: each mail by itself, and whether the stages stay in one thread. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from core.domain.campaign import Campaign, Stage
from core.domain.content_lint.findings import Finding, sample
from core.domain.content_lint.mail_rules import Envelope, lint_mail
from core.domain.subject import base_subject

STANDARD_FIELDS: Final = frozenset({"first_name", "last_name", "name", "email", "phone"})
"""Merge fields that every profile has, though they may be empty on one."""
SENDER_FIELDS: Final = frozenset({"sender_name", "sender_email"})
BULK_FROM: Final = 100
"""People from which on a campaign counts as bulk mail for R196 (ours; Google's own line is 5,000 a day)."""


def lint(
    campaign: Campaign,
    *,
    people: int = 0,
    known_fields: Collection[str] | None = None,
    attachments: Mapping[str, int] | None = None,
    reply_to: str = "",
    unsubscribe_header: bool = True,
) -> list[Finding]:
    """What to look at before a campaign starts, by stage, heaviest first.

    ``people`` in the campaign; ``known_fields``: the further merge fields that its people have (the standard ones are
    known anyway; None: not known, so none is called unknown); ``attachments``: the campaign's files and their sizes in
    bytes; ``unsubscribe_header``: whether its mails will carry List-Unsubscribe.
    """
    known = None if known_fields is None else {*known_fields, *STANDARD_FIELDS, *SENDER_FIELDS}
    emails = [stage for stage in campaign.stages if stage.kind == "email"]
    found: list[Finding] = []
    for stage in campaign.stages:
        if stage.kind != "email":
            found += _other_stage(stage, known)
            continue
        first = stage is emails[0] or bool(stage.subject) or stage.sender is not None
        found += lint_mail(
            stage.subject or (_opening_subject(emails) if stage.sender is not None else ""),
            stage.body,
            stage.html,
            first_of_thread=first,
            envelope=Envelope(
                sender=stage.sender or next(iter(campaign.senders), ""),
                reply_to=reply_to,
                unsubscribe_header=unsubscribe_header,
            ),
            attachments=_sizes(stage, attachments or {}),
            known_fields=known,
            bulk=people >= BULK_FROM,
            stage=stage.position,
        )
    found += _thread_rules(emails)
    return sorted(found, key=lambda finding: (finding.stage or 0, -finding.weight))


def _sizes(stage: Stage, attachments: Mapping[str, int]) -> dict[str, int]:
    return {name: attachments[name] for name in stage.attachments if name in attachments}


def _opening_subject(emails: list[Stage]) -> str:
    return next((stage.subject for stage in emails if stage.subject), "")


def _thread_rules(emails: list[Stage]) -> Iterator[Finding]:
    """R100, R162: a stage with a subject or a sender of its own begins a thread of its own."""
    opening = base_subject(_opening_subject(emails)).casefold()
    for stage in emails[1:]:
        if stage.sender is not None:
            yield Finding(
                "new_thread",
                0.5,  # ours, like the next
                "comes from another mailbox, so it begins a new thread",
                "Keep one sender where the stages should stay together.",
                sample(stage.sender),
                stage.position,
            )
        elif stage.subject:
            same = base_subject(stage.subject).casefold() == opening
            yield Finding(
                "new_thread",
                0.5,
                "repeats the subject, which begins a second thread of the same name"
                if same
                else "has a subject of its own, so it begins a new thread",
                "Leave the subject empty: the stage then answers in the thread of the first.",
                sample(stage.subject),
                stage.position,
            )


def _other_stage(stage: Stage, known: Collection[str] | None) -> Iterator[Finding]:
    """Of texts, calls and tasks only the merge fields matter here."""
    for finding in lint_mail("", f"{stage.body}\n{stage.note}", first_of_thread=False, known_fields=known):
        if finding.code in ("unknown_field", "broken_field"):
            yield replace(finding, stage=stage.position)
