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

    ``side``: reading, or sending where only that fails. ``status`` is the mailbox's (error, partial, connection_issue).
    ``provider`` is a key of ``providers.PROVIDERS`` or "other"; ``sign_in`` password, google or microsoft. ``forward``
    is text for the mail administrator, ``obsolete`` outdated advice with today's beside it (R226).
    ``acknowledged_by``, ``assigned_to`` are Slack users; ``muted_until`` a time; ``reminders`` how often it was told
    again; ``folded``: the storm card that tells of it in this one's place in the alert channel. ``reader``: whose copy
    this is: the admins' channel, the owner, the assignee, or somebody (onlooker) to whom it was assigned before.
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
    side: str
    status: str
    provider: str
    sign_in: str
    forward: str | None
    obsolete: str | None
    acknowledged_by: str | None
    acknowledged_at: str | None
    assigned_to: str | None
    muted_until: str | None
    reminders: int
    folded: str | None
    reader: str


class StormMailbox(TypedDict):
    """One mailbox of a storm. ``state``: broken, resyncing or recovered."""

    mailbox_id: str
    address: str
    owner: str
    state: str


class StormCard(TypedDict):
    """Kind "storm": one cause, many mailboxes, one card (X10). ``state``: broken, resyncing, recovered, or closed where
    every mailbox left it otherwise (paused, disconnected, or broken by another cause now).

    ``provider`` is a key of ``providers.PROVIDERS``, "network" where several providers cannot be reached at once, or
    the server's name where its provider is not known. ``mailboxes`` holds the first 50 in order of breaking; ``total``
    and ``recovered`` count all.
    """

    state: str
    alert_id: str
    version: int
    provider: str
    cause: str
    title: str
    raw: str
    fix: str
    who: str
    forward: str | None
    since: str
    mailboxes: list[StormMailbox]
    total: int
    recovered: int
    actor: str | None
    actor_at: str | None
    acknowledged_by: str | None
    acknowledged_at: str | None
    muted_until: str | None
    recovered_at: str | None
    down_minutes: int | None


class FailedCampaign(TypedDict):
    """How many stages of one campaign failed."""

    campaign: str
    failed: int


class RecoveryCard(TypedDict):
    """Kind "recovery": stages that failed while a mailbox was down (X3). ``state``: offered, retried or left."""

    state: str
    alert_id: str
    version: int
    mailbox_id: str
    address: str
    owner: str
    failed: int
    campaigns: list[FailedCampaign]
    down_minutes: int | None
    actor: str | None
    actor_at: str | None
    retried: int
    refused: int


class ExpiryCard(TypedDict):
    """Kind "expiry": a sign-in that will end (R28). ``state``: warned, renewed or ended."""

    state: str
    alert_id: str
    version: int
    mailbox_id: str
    address: str
    owner: str
    provider: str
    ends_at: str
    days_left: int


class SyncReminder(TypedDict):
    """Kind "sync_reminder": a short message of its own, because Slack tells nobody of an edit. Never changed later.

    ``alert_id`` is the card that it reminds of (kind sync or storm). ``mailboxes`` counts those still broken: 1, and
    ``mailbox_id`` and ``address`` name it; for a storm both are empty, and ``provider`` says where. ``changed``: told
    because the cause changed after somebody had acknowledged or muted it; else it has lasted for ``days`` (from 1).
    ``reminders`` counts this one.
    """

    alert_id: str
    mailbox_id: str
    address: str
    owner: str
    provider: str
    cause: str
    title: str
    fix: str
    since: str
    days: int
    reminders: int
    mailboxes: int
    changed: bool


class SeatCard(TypedDict):
    """Kind "seat", for the mailbox's owner: it has got a seat, or has lost its own (R35, R214). Never changed later.

    ``state``: seated or waiting. ``seats`` says in words how many are in use.
    """

    state: str
    mailbox_id: str
    address: str
    owner: str
    seats: str


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


class StageHeap(TypedDict):
    """Kind "stages_failed": many stages of one campaign that failed for one reason on one day, on one card (X10).
    ``state``: failed, retrying. ``campaign_id`` and ``reason_code`` are what the button carries."""

    state: str
    campaign_id: str
    campaign: str
    owner: str | None
    reason_code: str
    reason: str
    fix: str
    count: int
    at: str
    actor: str | None
    actor_at: str | None


class UncertainCard(TypedDict):
    """Kind "uncertain". ``state``: held, sent, resent, dropped. The mail may or may not have gone out; ``kind`` is the
    stage's: email or sms."""

    state: str
    kind: str
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


class LimitCard(TypedDict):
    """Kind "limit": a mailbox's host said that it sends too much, so it sends less for a while (X12).

    ``provider`` is a key of ``providers.PROVIDERS`` or "other"; ``raw`` the host's own words. ``went`` counts its mails
    of the last 24 hours; ``cap`` is how many it sends in 24 hours for now, None where it only rests; ``until`` when
    that ends, ``next_at`` when the next mail may go. ``waiting`` counts the prospects that began to wait.
    """

    mailbox_id: str
    address: str
    owner: str
    provider: str
    raw: str
    went: int
    cap: int | None
    until: str
    next_at: str
    waiting: int
    at: str


class BrakeCard(TypedDict):
    """Kind "brake": too many mails bounced, so a mailbox or a campaign is stopped. ``state``: braked or lifted.

    ``scope`` is mailbox or campaign, ``id`` what the button carries, ``name`` the address or the campaign's name.
    ``bounced`` of ``sent`` mails in ``days`` days; ``percent`` is the share at which it stops. ``actor`` lifted it.
    """

    state: str
    scope: str
    id: str
    name: str
    owner: str | None
    sent: int
    bounced: int
    days: int
    percent: float
    at: str
    actor: str | None
    actor_at: str | None


class TaskCard(TypedDict):
    """Kind "task": a call or a task of a campaign, for a person to do (R149, R150). ``state``: open, done, skipped,
    closed (the prospect was finished, has replied or the campaign has ended: no longer needed), paused, removed, or
    heard (they called, texted or booked). ``kind`` is call or task.

    ``delivery_id`` and ``version`` (of the delivery) are what the buttons carry. ``profile`` holds pairs of name and
    value; ``required``: the campaign waits for this. ``due``: since when. ``actor`` settled it at ``actor_at``.
    """

    state: str
    delivery_id: str
    enrollment_id: str
    version: int
    campaign: str
    person: str
    email: str
    phone: str
    profile: list[list[str]]
    owner: str | None
    stage: int
    stages: int
    kind: str
    note: str
    required: bool
    due: str
    actor: str | None
    actor_at: str | None


class TaskReminder(TypedDict):
    """Kind "task_reminder": a required call or task that nobody has done yet. Never changed later; ``reminders`` counts
    this one."""

    delivery_id: str
    enrollment_id: str
    version: int
    campaign: str
    person: str
    phone: str
    owner: str | None
    kind: str
    note: str
    due: str
    reminders: int
