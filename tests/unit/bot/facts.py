"""Facts of cards, plain or hostile, for the presenters' tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

AT = "2026-11-21T09:30:00Z"

SYNC: dict[str, Any] = {
    "state": "broken",
    "alert_id": "alert-1",
    "version": 2,
    "mailbox_id": "mailbox-1",
    "address": "rita@agency.test",
    "owner": "U0RITA",
    "cause": "password",
    "title": "Password was changed or is wrong",
    "raw": "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
    "fix": "Press Reconnect and type the new password.",
    "who": "recruiter",
    "since": AT,
    "last_sync_at": AT,
    "actor": None,
    "actor_at": None,
    "recovered_at": None,
    "down_minutes": None,
    "caught_up": 0,
    "failed_meanwhile": 0,
    "side": "reading",
    "status": "error",
    "provider": "google",
    "sign_in": "password",
    "forward": None,
    "obsolete": None,
    "acknowledged_by": None,
    "acknowledged_at": None,
    "assigned_to": None,
    "muted_until": None,
    "reminders": 0,
    "folded": None,
    "reader": "admins",
}

STORM: dict[str, Any] = {
    "state": "broken",
    "alert_id": "alert-2",
    "version": 5,
    "provider": "microsoft",
    "cause": "oauth_client_secret_expired",
    "title": "Sign-in app: secret has expired",
    "raw": "AADSTS7000222: The provided client secret keys are expired.",
    "fix": "The operator makes a new secret, puts it into the settings and restarts.",
    "who": "operator",
    "forward": None,
    "since": AT,
    "mailboxes": [
        {"mailbox_id": "mailbox-1", "address": "rita@agency.test", "owner": "U0RITA", "state": "broken"},
        {"mailbox_id": "mailbox-2", "address": "omar@agency.test", "owner": "U0OMAR", "state": "recovered"},
    ],
    "total": 40,
    "recovered": 12,
    "actor": None,
    "actor_at": None,
    "acknowledged_by": None,
    "acknowledged_at": None,
    "muted_until": None,
    "recovered_at": None,
    "down_minutes": None,
}

RECOVERY: dict[str, Any] = {
    "state": "offered",
    "alert_id": "alert-3",
    "version": 1,
    "mailbox_id": "mailbox-1",
    "address": "rita@agency.test",
    "owner": "U0RITA",
    "failed": 3,
    "campaigns": [{"campaign": "Backend engineers, autumn", "failed": 2}, {"campaign": "Spring", "failed": 1}],
    "down_minutes": 95,
    "actor": None,
    "actor_at": None,
    "retried": 0,
    "refused": 0,
}

EXPIRY: dict[str, Any] = {
    "state": "warned",
    "alert_id": "alert-4",
    "version": 1,
    "mailbox_id": "mailbox-1",
    "address": "rita@agency.test",
    "owner": "U0RITA",
    "provider": "microsoft",
    "ends_at": AT,
    "days_left": 5,
}

REMINDER: dict[str, Any] = {
    "alert_id": "alert-1",
    "mailbox_id": "mailbox-1",
    "address": "rita@agency.test",
    "owner": "U0RITA",
    "provider": "google",
    "cause": "password",
    "title": "Password was changed or is wrong",
    "fix": "Press Reconnect and type the new password.",
    "since": AT,
    "days": 3,
    "reminders": 2,
    "mailboxes": 1,
    "changed": False,
}

SEAT: dict[str, Any] = {
    "state": "seated",
    "mailbox_id": "mailbox-1",
    "address": "rita@agency.test",
    "owner": "U0RITA",
    "seats": "3 of 3 seats are in use",
}

REPLY: dict[str, Any] = {
    "enrollment_id": "enrollment-1",
    "person": "Ben Carter",
    "email": "ben@candidates.example",
    "campaign": "Backend engineers, autumn",
    "stage": 1,
    "stages": 3,
    "mailbox": "rita@agency.test",
    "owner": "U0RITA",
    "at": AT,
    "status": "Replied",
    "stopped": True,
}

EXCERPT: dict[str, Any] = {**REPLY, "subject": "Re: a role", "excerpt": "Yes, I am interested.\nTuesday?"}

STAGE: dict[str, Any] = {
    "state": "failed",
    "delivery_id": "delivery-1",
    "enrollment_id": "enrollment-1",
    "version": 4,
    "campaign": "Backend engineers, autumn",
    "person": "Ben Carter",
    "email": "ben@candidates.example",
    "owner": "U0RITA",
    "stage": 2,
    "stages": 3,
    "kind": "email",
    "status": "Not Delivered",
    "reason_code": "mailbox_full",
    "reason": "Their mailbox is full.",
    "fix": "Retry tomorrow.",
    "server_text": "452 4.2.2 mailbox full",
    "at": AT,
    "actor": None,
    "actor_at": None,
}

HEAP: dict[str, Any] = {
    "state": "failed",
    "campaign_id": "campaign-1",
    "campaign": "Backend engineers, autumn",
    "owner": "U0RITA",
    "reason_code": "daily_limit",
    "reason": "The day's limit is reached.",
    "fix": "Press Retry all tomorrow.",
    "count": 500,
    "at": AT,
    "actor": None,
    "actor_at": None,
}

UNCERTAIN: dict[str, Any] = {
    "state": "held",
    "kind": "email",
    "delivery_id": "delivery-1",
    "enrollment_id": "enrollment-1",
    "version": 4,
    "campaign": "Backend engineers, autumn",
    "person": "Ben Carter",
    "email": "ben@candidates.example",
    "mailbox": "rita@agency.test",
    "owner": "U0RITA",
    "stage": 1,
    "stages": 3,
    "subject": "A role at Initech",
    "at": AT,
    "evidence": "It was looked for in Sent three times and not found.",
    "actor": None,
    "actor_at": None,
}

LIMIT: dict[str, Any] = {
    "mailbox_id": "mailbox-rita",
    "address": "rita@agency.test",
    "owner": "U0RITA",
    "provider": "google",
    "raw": "550 5.4.5 Daily user sending limit exceeded.",
    "went": 412,
    "cap": 206,
    "until": AT,
    "next_at": AT,
    "waiting": 31,
    "at": AT,
}

BRAKE: dict[str, Any] = {
    "state": "braked",
    "scope": "mailbox",
    "id": "mailbox-rita",
    "name": "rita@agency.test",
    "owner": "U0RITA",
    "sent": 250,
    "bounced": 5,
    "days": 7,
    "percent": 2,
    "at": AT,
    "actor": "U0ADA",
    "actor_at": AT,
}

TASK: dict[str, Any] = {
    "state": "open",
    "delivery_id": "delivery-1",
    "enrollment_id": "enrollment-1",
    "version": 4,
    "campaign": "Backend engineers, autumn",
    "person": "Ben Carter",
    "email": "ben@candidates.example",
    "phone": "+44 20 7946 0103",
    "profile": [["company", "Initech"], ["skill", "payments"]],
    "owner": "U0RITA",
    "stage": 2,
    "stages": 3,
    "kind": "call",
    "note": "Ask about the notice period",
    "required": True,
    "due": AT,
    "actor": None,
    "actor_at": None,
}

TASK_REMINDER: dict[str, Any] = {
    "delivery_id": "delivery-1",
    "enrollment_id": "enrollment-1",
    "version": 5,
    "campaign": "Backend engineers, autumn",
    "person": "Ben Carter",
    "phone": "+44 20 7946 0103",
    "owner": "U0RITA",
    "kind": "call",
    "note": "Ask about the notice period",
    "due": AT,
    "reminders": 2,
}

BY_KIND: dict[str, dict[str, Any]] = {
    "sync": SYNC,
    "storm": STORM,
    "recovery": RECOVERY,
    "expiry": EXPIRY,
    "sync_reminder": REMINDER,
    "seat": SEAT,
    "reply": REPLY,
    "reply_excerpt": EXCERPT,
    "stage_failed": STAGE,
    "stages_failed": HEAP,
    "uncertain": UNCERTAIN,
    "limit": LIMIT,
    "brake": BRAKE,
    "task": TASK,
    "task_reminder": TASK_REMINDER,
}

STATES: dict[str, tuple[str, ...]] = {
    "sync": ("broken", "resyncing", "recovered", "closed"),
    "storm": ("broken", "resyncing", "recovered", "closed"),
    "recovery": ("offered", "retried", "left"),
    "expiry": ("warned", "renewed", "ended"),
    "sync_reminder": ("",),
    "seat": ("seated", "waiting"),
    "reply": ("",),
    "reply_excerpt": ("",),
    "stages_failed": ("failed", "retrying"),
    "stage_failed": ("failed", "retrying", "sent", "skipped", "finished", "removed", "replied"),
    "uncertain": ("held", "sent", "resent", "dropped"),
    "limit": ("",),
    "brake": ("braked", "lifted"),
    "task": ("open", "done", "skipped", "closed", "paused", "heard", "removed"),
    "task_reminder": ("",),
}

NASTY = (
    "<!channel>",
    "<!here|x>",
    "<@U0ADA>",
    "<https://evil.test|https://bank.test>",
    "&lt;!channel&gt;",
    "&amp;" * 500,
    "*bold* _it_ `code` ```",
    "\u202egnp.exe",
    "\u200b\u200d",
    "a\u0300" * 300,
    "\x00\x1b[31m",
    "\ud800",
    "x" * 20_000,
    "&" * 5_000,
    "<" * 5_000,
    "\n" * 5_000,
    "line\n" * 4_000,
    "<!date^1^{date}|x>",
    "😀" * 3_000,
    "",
    " ",
)

TEXTS = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=60), st.lists(st.sampled_from(NASTY), max_size=3).map("".join)
)
FREE = {
    "address",
    "title",
    "raw",
    "fix",
    "person",
    "email",
    "campaign",
    "mailbox",
    "status",
    "subject",
    "excerpt",
    "reason",
    "server_text",
    "evidence",
    "owner",
    "actor",
    "who",
    "provider",
    "sign_in",
    "forward",
    "obsolete",
    "side",
    "cause",
    "acknowledged_by",
    "assigned_to",
    "folded",
}


@st.composite
def hostile_facts(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A kind and facts in which every text that can come from outside is nasty."""
    kind = draw(st.sampled_from(sorted(BY_KIND)))
    facts = dict(BY_KIND[kind])
    if "state" in facts:
        facts["state"] = draw(st.sampled_from(STATES[kind]))
    for name in facts:
        if name in FREE:
            facts[name] = draw(TEXTS)
    for name in ("caught_up", "failed_meanwhile", "down_minutes", "reminders", "total", "recovered", "days", "failed"):
        if name in facts:
            facts[name] = draw(st.integers(0, 10**6))
    if "status" in facts and kind == "sync":
        facts["status"] = draw(st.sampled_from(("error", "partial", "connection_issue", "active")))
    if kind == "storm":
        one = {"mailbox_id": "m", "address": draw(TEXTS), "owner": draw(TEXTS), "state": draw(TEXTS)}
        facts["mailboxes"] = [one] * draw(st.integers(0, 60))
    if kind == "recovery":
        facts["campaigns"] = [{"campaign": draw(TEXTS), "failed": 2}] * draw(st.integers(0, 40))
    return kind, facts
