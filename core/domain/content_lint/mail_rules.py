"""Rules about one mail: its subject, its words, whom it names, where answers go. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from core.domain.address import domain_of, is_valid, match_key
from core.domain.content_lint.findings import THRESHOLD, Finding, sample
from core.domain.content_lint.html_look import MOST_READ
from core.domain.content_lint.html_rules import html_rules
from core.domain.content_lint.words import (
    GREETINGS,
    MOST_PROMOTION,
    PROMOTION,
    SALESY_SUBJECT,
    TRIGGERS,
    WAY_OUT,
)
from core.domain.html_text import html_to_text
from core.domain.internal_mail import is_free_mail
from core.domain.subject import base_subject
from core.domain.template import faults_in, fields_in, render

LARGEST_ATTACHMENT: Final = 1_000_000
"""Bytes; what recruiting products take (help.loxo.co, article 8899549)."""
LONGEST_SUBJECT: Final = 200
IMPERSONAL_FIELDS: Final = frozenset({"sender_name", "sender_email", "email", "phone"})

_URL: Final = re.compile(r"https?://\S{1,2000}|(?<![\w.])www\.[\w-]{1,63}\.\w", re.IGNORECASE)
_GAPPY: Final = re.compile(r"(?<!\w)\w(?:[ .*_-]\w){3,}(?!\w)")
_MANY_MARKS: Final = re.compile(r"[!?]*![!?]+|\?!+|\?{3,}")
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_LONG_WORD: Final = re.compile(r"(?<!\w)[^\W\d_]{4,30}(?!\w)")
_FALSE_RE: Final = re.compile(r"\s*(?:re|fwd?|aw|wg)\s?:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes, and where answers go. ``unsubscribe_header``: the mail will carry List-Unsubscribe."""

    sender: str = ""
    sender_name: str = ""
    reply_to: str = ""
    recipient: str = ""
    unsubscribe_header: bool = True


@dataclass(frozen=True, slots=True)
class _Mail:
    """What the rules look at; ``shown`` is what people read. The rest as in ``lint_mail``."""

    subject: str
    text: str
    html: str
    shown: str
    first_of_thread: bool
    envelope: Envelope
    attachments: Mapping[str, int]
    known_fields: Collection[str] | None
    personal: Collection[str] | None
    bulk: bool


def lint_mail(
    subject: str,
    text: str,
    html: str = "",
    *,
    first_of_thread: bool = True,
    envelope: Envelope | None = None,
    attachments: Mapping[str, int] | None = None,
    known_fields: Collection[str] | None = None,
    personal: Collection[str] | None = None,
    bulk: bool = False,
    stage: int | None = None,
) -> list[Finding]:
    """What to look at in one mail, heaviest first.

    ``text`` and ``html`` are the two parts; an empty ``html`` means that the HTML part is made from the text.
    ``attachments`` maps names to sizes in bytes. ``known_fields`` are merge fields that people have (None: not known,
    so none is called unknown). ``personal`` is None for a template; for a mail whose merge fields were filled it holds
    the values of this person (first name, company) of which one should appear. ``bulk``: it goes to many people. Time
    is linear: the first 200,000 characters of each part are looked at.
    """
    html = html[:MOST_READ]
    mail = _Mail(
        subject=subject[:2_000],
        text=text[:MOST_READ],
        html=html,
        shown=html_to_text(html) if html else text[:MOST_READ],
        first_of_thread=first_of_thread,
        envelope=envelope or Envelope(),
        attachments=attachments or {},
        known_fields=known_fields,
        personal=personal,
        bulk=bulk,
    )
    found = [replace(finding, stage=stage) for rule in _RULES for finding in rule(mail)]
    return sorted(found, key=lambda finding: -finding.weight)


def _subject_rules(mail: _Mail) -> Iterator[Finding]:
    subject = mail.subject
    if not subject.strip():
        if mail.first_of_thread:
            yield Finding("no_subject", 1.8, "has no subject", "Give it one.")  # SpamAssassin MISSING_SUBJECT
        return
    if len(subject) > LONGEST_SUBJECT:
        yield Finding(
            "long_subject",
            3.0,  # rspamd LONG_SUBJ
            f"the subject has {len(subject)} characters; from {LONGEST_SUBJECT} on filters take it amiss",
            "Fifty characters are seen on a phone.",
            sample(subject),
        )
    if found := _URL.search(subject):
        yield Finding(
            "url_in_subject", 4.0, "the subject holds a link", "Put it into the message.", sample(found[0])
        )  # rspamd URL_IN_SUBJECT
    if found := _GAPPY.search(subject):
        yield Finding(
            "gappy_subject", 0.1, "the subject has s p a c e d letters", "Write the word.", sample(found[0])
        )  # SpamAssassin GAPPY_SUBJECT
    if found := _MANY_MARKS.search(subject):
        yield Finding("subject_marks", 1.0, "the subject shouts with punctuation", "One mark, or none.", found[0][:20])
    if found := SALESY_SUBJECT.pattern.search(subject):
        yield Finding(
            SALESY_SUBJECT.code, SALESY_SUBJECT.weight, SALESY_SUBJECT.name, SALESY_SUBJECT.fix, sample(found[0])
        )
    if mail.first_of_thread and (found := _FALSE_RE.match(subject)):
        yield Finding(
            "false_reply",
            1.5,  # ours, after SpamAssassin FAKE_REPLY_*
            f"the subject begins with “{found[0].strip()}” though nothing went before",
            f"Write “{sample(base_subject(subject))[:60]}”.",
            sample(subject),
        )


def _capital_rules(mail: _Mail) -> Iterator[Finding]:
    """SpamAssassin SUBJ_ALL_CAPS 0.5 and rspamd's, which grows with the length to 3.0; UPPERCASE_50_75, _75_100."""
    subject = render(mail.subject, {}).text
    letters, share = _capitals(subject)
    loud = [word for word in _LONG_WORD.findall(subject) if word.isupper()]  # shorter ones may be acronyms
    if letters >= 8 and share >= 0.8 and loud:
        yield Finding(
            "subject_capitals",
            round(max(0.5, min(3.0, 3.0 * letters / 40)), 1),
            "the subject is in capitals",
            "Write it as a sentence.",
            sample(subject),
        )
    elif len([word for word in loud if len(word) >= 5]) >= 2:
        yield Finding(
            "subject_capitals", 0.5, "words of the subject are in capitals", "Write it as a sentence.", sample(subject)
        )
    letters, share = _capitals(_URL.sub(" ", render(mail.shown, {}).text))
    if letters >= 60 and share >= 0.5:
        yield Finding(
            "body_capitals",
            1.5 if share >= 0.75 else 0.8,
            f"{share:.0%} of the letters are capitals",
            "Write sentences; capitals read as shouting.",
            sample(mail.shown),
        )


def _capitals(text: str) -> tuple[int, float]:
    """Letters that have a case, and the share of them that are capitals."""
    upper = sum(map(str.isupper, text))
    cased = upper + sum(map(str.islower, text))
    return cased, upper / cased if cased else 0.0


def _word_rules(mail: _Mail) -> Iterator[Finding]:
    words = " ".join(mail.shown.split())
    for phrase in (*GREETINGS, *TRIGGERS):
        # A greeting is one only where the mail begins.
        where = words[:300] if phrase in GREETINGS else f"{mail.subject} {words}"
        if found := phrase.pattern.search(where):
            yield Finding(phrase.code, phrase.weight, phrase.name, phrase.fix, sample(where[found.start() :][:80]))
    promoted = {found[0].lower(): found[0] for found in PROMOTION.pattern.finditer(words)}
    if promoted:
        yield Finding(
            PROMOTION.code,
            round(min(MOST_PROMOTION, PROMOTION.weight * len(promoted)), 1),
            PROMOTION.name,
            PROMOTION.fix,
            sample(", ".join(promoted.values())),
        )
    marks = words.count("!")
    if "!!" in words or (marks >= 5 and marks * 30 > words.count(" ")):
        yield Finding(
            "exclamations",
            1.0 if marks >= 6 else 0.5,  # ours (R193)
            f"has {marks} exclamation marks",
            "One is plenty.",
            sample(words[max(0, words.find("!") - 60) :][:80]),
        )


def _personal_rules(mail: _Mail) -> Iterator[Finding]:
    whole = f"{mail.subject}\n{mail.text}\n{mail.html}"
    if not mail.first_of_thread or fields_in(whole) - IMPERSONAL_FIELDS:
        return
    folded = whole.casefold()
    if any(value.strip() and value.strip().casefold() in folded for value in mail.personal or ()):
        return
    yield Finding(
        "not_personal",
        1.0,  # ours (R195)
        "says the same to everybody: no name, no company, no skill",
        "Put in {{first_name}} and one thing that is only true of this person.",
    )


def _field_rules(mail: _Mail) -> Iterator[Finding]:
    parts = (mail.subject, mail.text, mail.html)
    if mail.personal is not None:
        if left := sorted({name for part in parts for name in fields_in(part)}):
            yield _field_finding("unresolved_field", "a merge field was not filled", left)
    elif mail.known_fields is not None:
        needed = dict.fromkeys(name for part in parts for name in render(part, {}).missing)
        if unknown := [name for name in needed if name not in mail.known_fields]:
            yield _field_finding("unknown_field", "names a merge field that nobody here has", unknown)
    broken = [fault for part in parts for fault in faults_in(part)]
    if broken:
        yield Finding(
            "broken_field",
            THRESHOLD,
            "holds braces that are no merge field, and would go out as they are",
            "Write {{field}} or {{field|fallback}}.",
            sample(broken[0]),
        )


def _field_finding(code: str, text: str, names: list[str]) -> Finding:
    """As heavy as the threshold (ours): the mail would be wrong for everybody, or go to nobody."""
    fix = "Correct its name, import the field, or write {{field|fallback}}."
    return Finding(code, THRESHOLD, text, fix, sample(", ".join(f"{{{{{name}}}}}" for name in names)))


def _way_out_rules(mail: _Mail) -> Iterator[Finding]:
    if mail.bulk and not mail.envelope.unsubscribe_header and not WAY_OUT.search(f"{mail.text}\n{mail.shown}"):
        yield Finding(
            "no_unsubscribe",
            1.5,  # ours (R196): Google and Yahoo ask it of bulk mail
            "goes to many people and gives them no way to say no",
            "Switch the unsubscribe header on (setting unsubscribe), or add “tell me and I will not write again”.",
        )


def _address_rules(mail: _Mail) -> Iterator[Finding]:
    """rspamd FREEMAIL_REPLYTO_NEQ_FROM_DOM 3.0, FROM_NEQ_DISPLAY_NAME 4.0, REPLYTO_EQ_TO_ADDR 5.0."""
    who = mail.envelope
    held = _ADDRESS.search(who.sender_name[:500])
    if held and match_key(held[0]) != match_key(who.sender):
        yield Finding(
            "name_is_address",
            4.0,
            "the sender's name holds another mail address",
            "Give the mailbox a person's name.",
            sample(held[0]),
        )
    reply_to = who.reply_to.strip()
    if not reply_to or match_key(reply_to) == match_key(who.sender):
        return
    answers = sample(f"answers go to {reply_to}")
    if not is_valid(reply_to):
        yield Finding("bad_reply_to", 2.0, "Reply-To is no mail address", "Correct it or leave it out.", answers)
    elif match_key(reply_to) == match_key(who.recipient):
        yield Finding("reply_to_recipient", 5.0, "answers would go to the reader", "Leave Reply-To out.", answers)
    elif is_free_mail(domain_of(reply_to)) and domain_of(who.sender) != domain_of(reply_to):
        yield Finding(
            "reply_to_freemail",
            3.0,
            "answers go to a free mailbox at another domain",
            "Let answers come back to the sending mailbox; otherwise replies are not matched either.",
            answers,
        )


def _attachment_rules(mail: _Mail) -> Iterator[Finding]:
    large = {name: size for name, size in mail.attachments.items() if size > LARGEST_ATTACHMENT}
    if large:
        told = ", ".join(f"{name} ({size / 1_000_000:.1f} MB)" for name, size in large.items())
        yield Finding(
            "large_attachment",
            1.0,  # ours
            "has an attachment of more than 1 MB",
            "Send a link to it, or a smaller file.",
            sample(told),
        )


def _html_rules(mail: _Mail) -> Iterator[Finding]:
    return html_rules(mail.text, mail.html, mail.shown)


_RULES: Final = (
    _field_rules,
    _subject_rules,
    _capital_rules,
    _word_rules,
    _personal_rules,
    _way_out_rules,
    _address_rules,
    _attachment_rules,
    _html_rules,
)
