"""The facts behind each Slack card: what the engine says, not how it looks. Pure.

They travel through the outbox as JSON: only text, numbers, booleans and None; times as ``moment.iso`` texts; ids that
the buttons carry back. No credentials; the text of a candidate's mail only in ``ReplyExcerpt``.
"""

from __future__ import annotations

from typing import TypedDict


class SyncCard(TypedDict):
    """Kind "sync". ``state``: broken, resyncing, recovered or closed (the mailbox was paused or disconnected).

    ``cause`` is the machine name, ``title`` its short human form, ``raw`` the server's own words, ``who`` must act
    (nobody, recruiter, mail_admin, operator, vendor). ``actor`` pressed Resync at ``actor_at``. ``caught_up`` counts
    messages read on recovery, ``failed_meanwhile`` stages that failed while it was down.
    """

    state: str
    alert_id: str
    version: int
    mailbox_id: str
    address: str
    owner: str
    cause: str
    title: str
    raw: str
    fix: str
    who: str
    since: str
    last_sync_at: str | None
    actor: str | None
    actor_at: str | None
    recovered_at: str | None
    down_minutes: int | None
    caught_up: int
    failed_meanwhile: int


class ReplyCard(TypedDict):
    """Kind "reply", for the campaign's channel: who, campaign, stage; never the text (R201)."""

    enrollment_id: str
    person: str
    email: str
    campaign: str
    stage: int
    stages: int
    mailbox: str
    owner: str
    at: str
    status: str
    stopped: bool


class ReplyExcerpt(ReplyCard):
    """Kind "reply_excerpt", for the recruiter's DM: with what the person wrote."""

    subject: str
    excerpt: str


class StageCard(TypedDict):
    """Kind "stage_failed". ``state``: failed, retrying, sent, skipped, finished, removed, replied.

    ``delivery_id`` and ``version`` (of the prospect) are what the buttons carry.
    """

    state: str
    delivery_id: str
    enrollment_id: str
    version: int
    campaign: str
    person: str
    email: str
    owner: str | None
    stage: int
    stages: int
    kind: str
    status: str
    reason_code: str
    reason: str
    fix: str
    server_text: str | None
    at: str
    actor: str | None
    actor_at: str | None


class UncertainCard(TypedDict):
    """Kind "uncertain". ``state``: held, sent, resent, dropped. The mail may or may not have gone out."""

    state: str
    delivery_id: str
    enrollment_id: str
    version: int
    campaign: str
    person: str
    email: str
    mailbox: str
    owner: str | None
    stage: int
    stages: int
    subject: str
    at: str
    evidence: str
    actor: str | None
    actor_at: str | None
