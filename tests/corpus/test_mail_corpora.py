"""Other projects' labelled mail, where the shared folder lies beside the checkout. Thresholds are what we reach."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.domain.inbound import classify_raw
from core.domain.message import InboundKind
from core.domain.mime import visible_reply
from core.domain.smtp_reply import classify_reply

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="the shared data lies beside the checkout only where it is built"
)

CLASS_OF_LABEL = {
    "auth_block": "authfailure requireptr auth_failure",
    "reputation_block": "badreputation blocked ip_blacklisted domain_blacklisted",
    "sender_rejected": "rejected",
    "invalid_recipient": "hasmoved userunknown user_unknown invalid_address",
    "invalid_domain": "hostunknown notaccept",
    "content_rejected": "contenterror virusdetected notcompliantrfc virus_detected",
    "too_large": "exceedlimit mesgtoobig",
    "server_error": "mailererror systemerror systemfull",
    "rate_limited": "speeding toomanyconn greylisting",
    "mailbox_disabled": "suspend",
    "protocol_error": "syntaxerror",
    "unknown": "onhold undefined",
    "policy_block": "policy_blocked geo_blocked policyviolation",
    "spam_block": "spam_blocked spamdetected",
    "relay_denied": "norelaying",
    "network_error": "networkerror",
    "mailbox_full": "mailboxfull",
    "security_error": "securityerror",
}
LABELS = {label: klass for klass, labels in CLASS_OF_LABEL.items() for label in labels.split()}


def rows(folder: str) -> list[dict[str, Any]]:
    path = DATA / folder / "index.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def lower(addresses: Any) -> set[str]:
    return {address.lower() for address in addresses or ()}


def score(row: dict[str, Any], raw: bytes) -> dict[str, bool]:
    """Which judgements of one bounce agree with its label; only what the label judges is in the result."""
    verdict = classify_raw(raw)
    report = verdict.report
    kinds = {"complaint" if kind == "feedback" else kind for kind in row["kind"]}
    codes = [code for code in row["status_codes"] if code and not re.search(r"\.0\.9\d\d$", code)]
    named = lower(row["recipients"]) | lower(row.get("temporary_recipients"))
    result = {"kind": verdict.kind.value in kinds}
    if report is None:
        return result | {"recipients": False}
    result["recipients"] = lower(report.recipients + report.temporary_recipients) == named
    if row["classes"]:
        result["class"] = report.klass in row["classes"]
    if row["app_status_accept"] and verdict.kind is not InboundKind.DELAY:
        result["status"] = report.effect.status in row["app_status_accept"]
    if codes:
        result["code"] = report.status in codes
    if row["original_message_id"]:
        result["original id"] = report.original_message_id == row["original_message_id"].strip("<>")
    return result


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_bounces_are_understood(ends: bytes) -> None:
    """155 reports of 36 mail systems; IMAP hands them out with CRLF."""
    right: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for row in rows("bounces"):
        raw = (DATA / "bounces" / row["file"]).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", ends)
        for name, good in score(row, raw).items():
            seen[name] += 1
            right[name] += good
    missed = {name: seen[name] - right[name] for name in seen}
    assert missed == {"kind": 1, "recipients": 2, "class": 3, "status": 0, "code": 1, "original id": 0}


def test_automatic_answers_are_never_replies_and_people_always() -> None:
    """The kinds of the labels, and what counts as a reply."""
    expected = {"auto_reply": {"auto_reply"}, "human": {"reply"}, "list": {"list"}, "calendar": {"calendar"}}
    for row in rows("autoreplies"):
        verdict = classify_raw((DATA / "autoreplies" / row["file"]).read_bytes())
        assert (verdict.kind is InboundKind.REPLY) is row["counts_as_reply"], row["id"]
        assert verdict.kind.value in expected.get(row["label"], {"other", "auto_reply", "list"}), row["id"]


def test_visible_replies_are_found() -> None:
    """All but one: two labels demand opposite things of the same sign-off ("-Name")."""
    missed = []
    for row in rows("replies"):
        source = (DATA / "replies" / row["file"]).read_bytes().decode("utf-8", "replace")
        visible = visible_reply(source)
        if row["expected"] is not None:
            lines = row["expected"].replace("\r\n", "\n").strip().split("\n")
            good = visible == "\n".join(line.rstrip() for line in lines)
        else:
            good = all(text in visible for text in row["must_contain"])
            good &= not any(text in visible for text in row["must_not_contain"])
        if not good:
            missed.append(row["id"])
    assert missed == ["sr0066"]


def test_smtp_answers_find_their_class() -> None:
    """50 answers of two projects."""
    for row in rows("smtp_replies"):
        accepted = {LABELS.get(label, label) for label in row.get("accept") or [row["reason"]]}
        assert classify_reply(row["text"]).klass in accepted, row
