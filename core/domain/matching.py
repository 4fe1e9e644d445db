"""Whose mail is it, and does it answer one of ours? Pure (R81..R101; signals as the design's rules rank them)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.address import match_key, parse_address_list
from core.domain.delivery import Delivery
from core.domain.internal_mail import is_internal
from core.domain.matching_rules import EXACT, MatchingRules
from core.domain.message import Header
from core.domain.mime import base_subject
from core.domain.people import KnownAddress

_LOOKS_LIKE_ADDRESS = re.compile(rb"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_MOST_SCANNED = 65_536
_MOST_SCRAPED = 50
# Where a server that hands over no To keeps whom a mail went to (GoDaddy, R74).
_ENVELOPE_FIELDS = ("delivered-to", "x-original-to", "envelope-to")


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the database knows of the addresses and ids that a batch names: ``people`` by the rules' lookup key,
    ``deliveries`` by message id."""

    people: Mapping[str, Sequence[KnownAddress]]
    deliveries: Mapping[str, Delivery]


@dataclass(frozen=True, slots=True)
class Match:
    """``people`` maps person ids to the rule that found them; ``answers`` is the delivery that an incoming mail
    answers, by ``answer_rule``; ``copy_of`` the delivery of which this is the filed copy."""

    people: Mapping[str, str]
    answers: Delivery | None = None
    answer_rule: str = ""
    copy_of: Delivery | None = None

    @property
    def matters(self) -> bool:
        return bool(self.people or self.answers or self.copy_of)


NOTHING = Match({})


def is_outgoing(header: Header, *, folder_role: str, own_addresses: frozenset[str]) -> bool:
    """Sent and drafts are ours whatever they say; elsewhere the sender decides."""
    if folder_role in ("sent", "drafts"):
        return True
    return header.from_ is not None and match_key(header.from_.address) in own_addresses


def address_keys(header: Header, *, outgoing: bool) -> set[str]:
    """The other party's addresses: who wrote an incoming mail, who got an outgoing one (blind copies too)."""
    if outgoing:
        return {match_key(one.address) for one in header.recipients} | _keys_in(header, "bcc") or envelope_keys(header)
    return {match_key(header.from_.address)} if header.from_ else set()


def envelope_keys(header: Header) -> set[str]:
    """Whom the servers on the way say that a mail was for."""
    return {key for name in _ENVELOPE_FIELDS for key in _keys_in(header, name)}


def _keys_in(header: Header, name: str) -> set[str]:
    values = header.fields.get(name)
    return {match_key(one.address) for value in values for one in parse_address_list(value)} if values else set()


def is_unreadable(header: Header, *, outgoing: bool) -> bool:
    """An incoming mail whose sender cannot be made out."""
    return not outgoing and header.from_ is None


def scraped_keys(raw_header: bytes) -> set[str]:
    """Anything in an unreadable header that looks like an address: such a mail is kept whole where one of them is
    known (ruling on R81)."""
    found = _LOOKS_LIKE_ADDRESS.findall(raw_header[:_MOST_SCANNED])
    return {match_key(address.decode("ascii")) for address in found[:_MOST_SCRAPED]}


def named_ids(header: Header) -> set[str]:
    """Every message id by which a mail can be tied to one of ours."""
    own = {header.message_id} if header.message_id else set()
    return own | set(original_ids(header)) | set(header.in_reply_to) | set(header.references)


def original_ids(header: Header) -> tuple[str, ...]:
    """Ids under which providers keep the Message-ID that they replaced."""
    names = ("x-google-original-message-id", "x-microsoft-original-message-id")
    return tuple(value.strip().strip("<>") for name in names for value in header.fields.get(name, ()))


def match(
    header: Header,
    *,
    outgoing: bool,
    candidates: Candidates,
    rules: MatchingRules = EXACT,
    moment: datetime | None = None,
) -> Match:
    """Ties one mail to people and to our own mail, and says by which rule. ``moment`` is when it came or went.

    Mail between colleagues is nobody's, unless it is of a campaign: a colleague in one is a person like any other.
    """
    others = address_keys(header, outgoing=outgoing)
    people = owners(others, candidates, rules, moment)
    copy_of = _copy_of(header, candidates) if outgoing else None
    answers, rule = (None, "") if outgoing else _answered(header, candidates)
    if people and not (answers or copy_of) and rules.house and is_internal(header, others, rules.house):
        people = {}
    if people and outgoing and _names_nobody(header):
        people = dict.fromkeys(people, "envelope_address")
    return Match(people, answers=answers, answer_rule=rule, copy_of=copy_of)


def owners(
    keys: Iterable[str], candidates: Candidates, rules: MatchingRules, moment: datetime | None
) -> dict[str, str]:
    """Person ids to the rule that found them; the same letters win over a variant."""
    found: dict[str, str] = {}
    for key in sorted(keys):
        known = [one for one in candidates.people.get(rules.lookup_key(key), ()) if rules.allows(one, moment)]
        same = [one for one in known if one.key == key]
        for one in same or known:
            if same or one.person_id not in found:
                found[one.person_id] = rules.rule(key, one)
    return found


def _names_nobody(header: Header) -> bool:
    return not header.recipients and "bcc" not in header.fields


def _copy_of(header: Header, candidates: Candidates) -> Delivery | None:
    ids = ((header.message_id,) if header.message_id else ()) + original_ids(header)
    return next((candidates.deliveries[one] for one in ids if one in candidates.deliveries), None)


def _answered(header: Header, candidates: Candidates) -> tuple[Delivery | None, str]:
    """In-Reply-To is trusted alone; References only under the same subject, because some clients recycle them."""
    for one in header.in_reply_to:
        if one in candidates.deliveries:
            return candidates.deliveries[one], "in_reply_to"
    for one in reversed(header.references):
        delivery = candidates.deliveries.get(one)
        if delivery is not None and _same_subject(header.subject, delivery.subject or ""):
            return delivery, "references"
    return None, ""


def _same_subject(one: str, other: str) -> bool:
    return base_subject(one).casefold() == base_subject(other).casefold()
