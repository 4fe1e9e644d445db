"""Delivery reports: which addresses failed, why, and which mail of ours it was. Pure, never raises.

Reads the machine-readable half (RFC 3464, 3463, 5965) and the half of the world that sends prose (``bounce_prose``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from core.domain import bounce_prose as prose
from core.domain.address import clean_address
from core.domain.header import parse_header
from core.domain.message import Header, InboundKind
from core.domain.mime_parts import ParsedMessage
from core.domain.smtp_reply import SmtpVerdict, classify_reply
from core.domain.taxonomy import Next, Topic, prospect_effect

MAX_RECIPIENTS: Final = 100
_MAX_DIAGNOSTIC: Final = 1_000

_FAILED: Final = frozenset({"failed", "failure", "fail", "expired", "bounced", "rejected"})
_DELAYED: Final = frozenset({"delayed", "delay", "deferred"})
_DELIVERED: Final = frozenset({"delivered", "relayed", "expanded", "deliverable"})

_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:[ \t]*(.*)")
_ADDRESS_IN_FIELD: Final = re.compile(r"[^\s<>\"'();,:|=/]{1,64}@[^\s<>\"'();,:|=/]{1,253}")
_MESSAGE_ID: Final = re.compile(r"^[ \t>]{0,8}(?:x-)?(?:original-)?message-id:\s{0,4}<([^<>\s]{1,998})>", re.I | re.M)
_DIAGNOSTIC_TYPE: Final = re.compile(r"\s*(?:smtp|lmtp|x400|unknown|x-(?!unix)[\w-]{1,40})\s*;\s*", re.IGNORECASE)
_AFTER_DATA: Final = re.compile(r"\(in reply to (?:the )?(?:end of )?data|smtp command\s{1,4}data\b")
_TRANSCRIPT_DATA: Final = re.compile(r">>> data\s{1,4}<<< 5\d\d")
_TRANSCRIPT_ANSWER: Final = re.compile(r"^<<< ([45]\d\d.{0,1000})", re.MULTILINE)
_VAGUE_TOPICS: Final = frozenset({"unknown", "expired", "protocol_error"})
_NO_RECIPIENT_LEFT: Final = re.compile(r"need (?:rcpt|recipient)|no valid recipients")
_COMPLAINT_TYPES: Final = frozenset(
    {"abuse", "fraud", "opt-out", "opt-out-list", "unsubscribe", "complaint", "miscategorized"}
)


@dataclass(frozen=True, slots=True)
class BounceReport:
    """What a report says.

    ``kind`` is bounce, delay, complaint or delivered. ``recipients`` failed for good (of a complaint: complained; of a
    positive report: got the mail), ``temporary_recipients`` are still tried. They may be forwarding targets: tie a
    report to a delivery by ``original_message_id`` first (rule e). ``original_recipients`` are the addresses as mailed,
    where the report names them apart. ``klass`` and ``topic`` are the first failure's row of the taxonomy, ``status``
    its enhanced code, ``diagnostic`` the server's words, at most 1,000 characters.
    """

    kind: InboundKind
    recipients: tuple[str, ...]
    temporary_recipients: tuple[str, ...]
    klass: str
    status: str
    diagnostic: str
    original_message_id: str | None
    reported_headers: Header | None = None
    original_recipients: tuple[str, ...] = ()
    topic: str = "unknown"

    @property
    def effect(self) -> Topic:
        """What the report does to the prospect whose mail it is about."""
        if self.kind is InboundKind.DELIVERED:
            return prospect_effect("delivered")
        topic = prospect_effect(self.topic)
        if self.kind is InboundKind.DELAY:
            return replace(topic, status=None, next=Next.NOTHING)
        return prospect_effect("rate_limited") if topic.status == "Pending" else topic


@dataclass(frozen=True, slots=True)
class _Recipient:
    address: str
    original: str
    action: str
    status: str
    diagnostic: str


def read_report(message: ParsedMessage) -> BounceReport | None:
    """The report in ``message``, or None where it is none."""
    feedback = message.report("message/feedback-report")
    if feedback is not None:
        return _feedback(message, feedback)
    embedded = _reported_header(message)
    if embedded is not None and "x-hmxmroriginalrecipient" in embedded.fields:
        return _outlook_complaint(embedded)
    status_part = message.report(
        "message/delivery-status", "message/global-delivery-status", "message/disposition-notification"
    )
    text = prose.before_original(message.text)
    text = text[: text.lower().find("final-recipient:")] if "final-recipient:" in text.lower() else text
    groups = read_delivery_status(status_part.decode("utf-8", "replace")) if status_part else []
    if not groups and "final-recipient:" in message.text.lower():
        groups = read_delivery_status(message.text)
    if groups:
        return _from_groups(message, groups, text, embedded)
    return _from_notification(message) or _from_prose(message, text, embedded, machine_part=status_part is not None)


def looks_like_report(message: ParsedMessage) -> bool:
    """Whether the body of a mail with an innocent header opens as a report does (some systems send from a person)."""
    opening = prose.before_original(message.text)[:2_000]
    if prose.NOTIFICATION.search(opening):
        return True
    return prose.OPENING.search(opening) is not None and bool(
        prose.failed_addresses(opening, _reporters(message.header))
    )


def read_delivery_status(text: str) -> list[_Recipient]:
    """The per-recipient groups of a message/delivery-status body (RFC 3464 2.3), tolerant of missing blank lines."""
    groups: list[dict[str, str]] = [{}]
    last = ""
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and last:
            groups[-1][last] = f"{groups[-1][last]} {line.strip()}"[:4_096]
            continue
        match = _FIELD.match(line)
        if match is None:
            if groups[-1]:
                groups.append({})
            last = ""
            continue
        last = match[1].lower()
        if last in groups[-1]:
            if last not in ("final-recipient", "action"):
                last = ""
                continue
            groups.append({})
        groups[-1][last] = match[2].strip()[:4_096]
    found = [group for group in groups if "final-recipient" in group or "original-recipient" in group]
    return [_recipient(group) for group in found[:MAX_RECIPIENTS]]


def _recipient(group: dict[str, str]) -> _Recipient:
    final, original = _address(group.get("final-recipient", "")), _address(group.get("original-recipient", ""))
    usable = final if "." in final.rpartition("@")[2] else original or final
    diagnostic = _DIAGNOSTIC_TYPE.sub("", group.get("diagnostic-code", ""), count=1)
    status = group.get("status", "")
    action = group.get("action", "").split(";")[0].split("(")[0].strip().lower()
    return _Recipient(usable, original, _outcome(action, status), status, diagnostic[:_MAX_DIAGNOSTIC])


def _address(field: str) -> str:
    """The address in a recipient field: "rfc822; a@b", "<a@b>", or somewhere in a pipe command."""
    value = field.partition(";")[2] if ";" in field else field
    whole = clean_address(value.strip().strip("<>\"'"))
    if whole:
        return whole
    match = _ADDRESS_IN_FIELD.search(value)
    return clean_address(match[0]) or match[0] if match else ""


def _outcome(action: str, status: str) -> str:
    """failed, delayed or delivered; a final failure stays final though its code is 4.x.x (rule b)."""
    if action in _FAILED:
        return "failed"
    if action in _DELAYED:
        return "delayed"
    if action in _DELIVERED or (not action and status.startswith("2")):
        return "delivered"
    return "delayed" if not action and status.startswith("4") else "failed"


def _from_groups(message: ParsedMessage, groups: list[_Recipient], text: str, embedded: Header | None) -> BounceReport:
    failed = [one for one in groups if one.action == "failed"]
    delayed = [one for one in groups if one.action == "delayed"]
    decisive = (failed or delayed or groups)[0]
    verdict = _verdict(decisive, text, alone=len(groups) == 1)
    kind = InboundKind.BOUNCE if failed else InboundKind.DELAY if delayed else InboundKind.DELIVERED
    topic = "delivered" if kind is InboundKind.DELIVERED else verdict.topic
    if topic == "unknown" and message.report("message/disposition-notification") is not None:
        topic = "filtered"  # a refusal sent as a disposition notification is the recipient's own filter (RFC 5429)
    return BounceReport(
        kind=kind,
        recipients=_unique(one.address for one in (failed or ([] if delayed else groups))),
        temporary_recipients=_unique(one.address for one in delayed),
        klass=prospect_effect(topic).klass,
        topic=topic,
        status=verdict.status,
        diagnostic=(decisive.diagnostic or prose.excerpt(text, decisive.address))[:_MAX_DIAGNOSTIC],
        original_message_id=_original_id(message, embedded),
        reported_headers=embedded,
        original_recipients=_unique(one.original for one in groups),
    )


def _verdict(recipient: _Recipient, text: str, *, alone: bool) -> SmtpVerdict:
    """Both the machine's words and the people's are read; the vaguer one gives way (rules a, d)."""
    verdict = classify_reply(f"{recipient.diagnostic} {_comment(recipient.status)}", status=recipient.status)
    excerpt = prose.excerpt(text, recipient.address)
    if alone and excerpt and (not recipient.diagnostic or verdict.topic == "unknown"):
        worded = classify_reply(excerpt, status=recipient.status)
        if worded.topic != "unknown":
            verdict = worded
    if verdict.topic == "unknown" and recipient.action == "delayed":
        return SmtpVerdict("expired", "expired", verdict.status, verdict.code, True)
    return _after_data(verdict, text)


def _comment(status: str) -> str:
    """The words beside a status code: "5.0.0 (recipient reached disk quota)"."""
    return status.lstrip("0123456789. ")[:200]


def _after_data(verdict: SmtpVerdict, text: str) -> SmtpVerdict:
    """A server that says "user unknown" only after it has read the mail has filtered it."""
    if verdict.topic != "invalid_recipient":
        return verdict
    lower = text[:20_000].lower()
    filtered = _AFTER_DATA.search(lower) or (_TRANSCRIPT_DATA.search(lower) and not _NO_RECIPIENT_LEFT.search(lower))
    if not filtered:
        return verdict
    return SmtpVerdict("filtered", "filtered", verdict.status, verdict.code, verdict.transient)


def _from_prose(
    message: ParsedMessage, text: str, embedded: Header | None, *, machine_part: bool
) -> BounceReport | None:
    named = tuple(address for address in map(_address, _failed_header(message.header)) if address)
    worded = prose.failed_addresses(text, _reporters(message.header))
    addresses = worded if not named or len(worded) == len(named) else named
    if not (machine_part or named or prose.says_undelivered(message.header.subject, text)):
        return None
    original = embedded or _header_in_text(message.text)
    if not addresses and original is not None:
        addresses = tuple(one.address for one in original.to[:1])
    excerpt = prose.excerpt(text, addresses[0] if addresses else "")
    delayed = prose.says_delayed(message.header.subject, text)
    verdict = _worded_verdict(text, excerpt, delayed=delayed)
    return BounceReport(
        kind=InboundKind.DELAY if delayed else InboundKind.BOUNCE,
        recipients=() if delayed else _unique(addresses),
        temporary_recipients=_unique(addresses) if delayed else (),
        klass=verdict.klass,
        topic=verdict.topic,
        status=verdict.status,
        diagnostic=(excerpt or text.strip())[:_MAX_DIAGNOSTIC],
        original_message_id=_original_id(message, original),
        reported_headers=original,
    )


def _worded_verdict(text: str, excerpt: str, *, delayed: bool) -> SmtpVerdict:
    """The words about the recipient first, then a transcript's answer, then the whole report."""
    verdict = classify_reply(excerpt)
    answer = _TRANSCRIPT_ANSWER.search(text) if verdict.topic in _VAGUE_TOPICS else None
    for words in (answer[1] if answer else "", text if verdict.topic == "unknown" else ""):
        other = classify_reply(words)
        if other.topic not in _VAGUE_TOPICS or (verdict.topic == "unknown" and other.topic != "unknown"):
            verdict = other
            break
    if delayed and verdict.topic == "unknown":
        return SmtpVerdict("expired", "expired", verdict.status, verdict.code, True)
    return _after_data(verdict, text)


def _from_notification(message: ParsedMessage) -> BounceReport | None:
    """A notice of a sending service's event stream that was subscribed by mail (Amazon SES over SNS)."""
    event = prose.NOTIFICATION.search(message.text[:2_000])
    if event is None:
        return None
    kind = {"complaint": InboundKind.COMPLAINT, "delivery": InboundKind.DELIVERED}.get(
        event[1].lower(), InboundKind.BOUNCE
    )
    diagnostic = prose.NOTIFICATION_REASON.search(message.text)
    verdict = classify_reply(diagnostic[1] if diagnostic else "")
    topic = kind.value if kind is not InboundKind.BOUNCE else verdict.topic
    return BounceReport(
        kind=kind,
        recipients=_unique(clean_address(one) for one in prose.NOTIFICATION_ADDRESS.findall(message.text)),
        temporary_recipients=(),
        klass=prospect_effect(topic).klass,
        topic=topic,
        status=verdict.status,
        diagnostic=diagnostic[1] if diagnostic else "",
        original_message_id=None,
    )


def _feedback(message: ParsedMessage, data: bytes) -> BounceReport:
    """An abuse report (RFC 5965). Reports about signatures are of kind complaint too, but change no status."""
    fields = parse_header(data).fields
    embedded = _reported_header(message)
    named = [*fields.get("original-rcpt-to", ()), *fields.get("removal-recipient", ())]
    recipients = _unique(_address(one) for one in named)
    if not recipients and embedded is not None:
        recipients = _unique(one.address for one in embedded.to)
    feedback = (fields.get("feedback-type", ("abuse",))[0]).strip().lower()
    return BounceReport(
        kind=InboundKind.COMPLAINT,
        recipients=recipients,
        temporary_recipients=(),
        klass="complaint",
        topic="complaint" if feedback in _COMPLAINT_TYPES else "delivered",
        status="",
        diagnostic=feedback,
        original_message_id=_original_id(message, embedded),
        reported_headers=embedded,
    )


def _outlook_complaint(embedded: Header) -> BounceReport:
    """Outlook.com's junk reports have no feedback part, only the mail itself with a field of their own."""
    return BounceReport(
        kind=InboundKind.COMPLAINT,
        recipients=_unique([clean_address(embedded.first("x-hmxmroriginalrecipient"))]),
        temporary_recipients=(),
        klass="complaint",
        topic="complaint",
        status="",
        diagnostic="abuse",
        original_message_id=embedded.message_id,
        reported_headers=embedded,
    )


def _reported_header(message: ParsedMessage) -> Header | None:
    data = message.report("message/rfc822", "message/global", "text/rfc822-headers", "message/partial")
    if not data or not data.strip():
        return None
    header = parse_header(data)
    return header if header.fields else None


def _header_in_text(text: str) -> Header | None:
    """The header block of the original, where the report carries it as plain text."""
    start = prose.original_start(text)
    if start < 0:
        return None
    header = parse_header(text[start:].encode("utf-8", "replace"))
    return header if header.message_id or header.to else None


def _original_id(message: ParsedMessage, original: Header | None) -> str | None:
    if original is not None and original.message_id:
        return original.message_id
    status_part = message.report("message/delivery-status")
    for text in (status_part.decode("utf-8", "replace") if status_part else "", message.text):
        match = _MESSAGE_ID.search(text)
        if match:
            return match[1]
    return None


def _failed_header(header: Header) -> list[str]:
    values = header.fields.get("x-failed-recipients", ())
    return [one.strip() for value in values for one in value.split(",")][:MAX_RECIPIENTS]


def _reporters(header: Header) -> frozenset[str]:
    """The reporting system and the mailbox reported to: never the failed recipients."""
    known = (header.from_, *header.reply_to, *header.to)
    return frozenset(one.address.lower() for one in known if one is not None)


def _unique(addresses: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for address in addresses:
        if address:
            seen.setdefault(address.lower(), address)
    return tuple(seen.values())[:MAX_RECIPIENTS]
