"""Whose mail is it, and does it answer one of ours? Pure (R81..R101; signals as the design's rules rank them)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.address import match_key
from core.domain.delivery import Delivery
from core.domain.message import Header
from core.domain.mime import base_subject

_LOOKS_LIKE_ADDRESS = re.compile(rb"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_MOST_SCANNED = 65_536
_MOST_LOOSE = 50


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the database knows of the addresses and ids that a batch names."""

    people: Mapping[str, str]
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
    """The other party's addresses: who wrote an incoming mail, who got an outgoing one."""
    if outgoing:
        return {match_key(address.address) for address in header.recipients}
    return {match_key(header.from_.address)} if header.from_ else set()


def is_unreadable(header: Header, *, outgoing: bool) -> bool:
    """An incoming mail whose sender cannot be made out."""
    return not outgoing and header.from_ is None


def loose_keys(raw_header: bytes) -> set[str]:
    """Anything in an unreadable header that looks like an address: such a mail is kept whole where one of them is
    known (ruling on R81)."""
    found = _LOOKS_LIKE_ADDRESS.findall(raw_header[:_MOST_SCANNED])
    return {match_key(address.decode("ascii")) for address in found[:_MOST_LOOSE]}


def named_ids(header: Header) -> set[str]:
    """Every message id by which a mail can be tied to one of ours."""
    own = {header.message_id} if header.message_id else set()
    return own | set(original_ids(header)) | set(header.in_reply_to) | set(header.references)


def original_ids(header: Header) -> tuple[str, ...]:
    """Ids under which providers keep the Message-ID that they replaced."""
    names = ("x-google-original-message-id", "x-microsoft-original-message-id")
    return tuple(value.strip().strip("<>") for name in names for value in header.fields.get(name, ()))


def match(header: Header, *, outgoing: bool, candidates: Candidates) -> Match:
    """Ties one mail to people and to our own mail, and says by which rule."""
    people = {
        candidates.people[key]: "exact_address"
        for key in sorted(address_keys(header, outgoing=outgoing))
        if key in candidates.people
    }
    if outgoing:
        return Match(people, copy_of=_copy_of(header, candidates))
    delivery, rule = _answered(header, candidates)
    return Match(people, answers=delivery, answer_rule=rule)


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
