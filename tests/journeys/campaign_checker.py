"""Was the promise kept? Judges a finished campaign by what the world around the product has seen.

Apart from the product: it reads the mail host's ledger and Sent folder, the messages of the Slack stand-in, the
driver's own list of replies and ``campaign status --json``. Invariants I1 to I5 of the test plan.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

_STAGE = re.compile(r"\[stage (\d+)\]")


class Mail(Protocol):
    """A mail that the host took; ``at`` is seconds since 1970."""

    @property
    def rcpts(self) -> tuple[str, ...]: ...
    @property
    def at(self) -> float: ...
    @property
    def text(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    def header(self, name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What the driver let a candidate answer, when, and after which stage. ``grace`` is how many seconds a mail that
    was under way already may take to arrive after the answer did."""

    address: str
    at: float
    stage: int
    grace: float


@dataclass(frozen=True, slots=True)
class Card:
    """A message of the product in a channel: its key, and all that it says."""

    channel: str
    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the checker may look at. ``filed`` are the Message-IDs in Sent, None where nothing is filed."""

    stages: int
    enrolled: Sequence[str]
    accepted: Sequence[Mail]
    filed: Sequence[str] | None
    prospects: Mapping[str, Mapping[str, Any]]
    replies: Sequence[Reply]
    cards: Sequence[Card]
    reply_channels: Sequence[str]


def stage_of(mail: Mail) -> int:
    """The stage by what the mail says, never by what the product says of it."""
    found = _STAGE.search(mail.text)
    assert found is not None, f"no stage in {mail.text[:200]!r}"
    return int(found[1])


def faults(evidence: Evidence) -> list[str]:
    """Every broken promise in words; empty where all were kept."""
    return [
        *_sent_twice(evidence),
        *_left_out(evidence),
        *_sent_after_reply(evidence),
        *_cards(evidence),
    ]


def _by_address(evidence: Evidence) -> dict[str, list[Mail]]:
    found: dict[str, list[Mail]] = defaultdict(list)
    for mail in sorted(evidence.accepted, key=lambda one: one.at):
        for address in mail.rcpts:
            found[address].append(mail)
    return found


def _sent_twice(evidence: Evidence) -> Iterator[str]:
    stages = Counter((address, stage_of(one)) for one in evidence.accepted for address in one.rcpts)
    ids = Counter(one.message_id for one in evidence.accepted)
    deliveries = Counter(one.header("X-Rethread-Delivery") for one in evidence.accepted)
    for what, counted in (("stage", stages), ("Message-ID", ids), ("X-Rethread-Delivery", deliveries)):
        for thing, times in counted.items():
            if times > 1:
                yield f"{what} {thing} was sent {times} times"
    if evidence.filed is not None and Counter(evidence.filed) != ids:
        yield "Sent holds other mails than were accepted"


def _left_out(evidence: Evidence) -> Iterator[str]:
    mails, replied = _by_address(evidence), {one.address for one in evidence.replies}
    if set(evidence.prospects) != set(evidence.enrolled):
        yield f"enrolled and shown differ: {sorted(set(evidence.prospects) ^ set(evidence.enrolled))}"
    for address in evidence.enrolled:
        order = [stage_of(one) for one in mails.get(address, [])]
        if order != list(range(1, len(order) + 1)):
            yield f"{address} got stages {order}"
        status = str(evidence.prospects.get(address, {}).get("status"))
        if status == "Replied" and address not in replied:
            yield f"{address} is Replied but never answered"
        elif status == "Replied" and not order:
            yield f"{address} is Replied to nothing"
        elif status == "Complete" and len(order) != evidence.stages:
            yield f"{address} is Complete after stages {order}"
        elif status not in ("Replied", "Complete"):
            yield f"{address} ended as {status}: {evidence.prospects.get(address)}"


def _sent_after_reply(evidence: Evidence) -> Iterator[str]:
    mails = _by_address(evidence)
    for reply in evidence.replies:
        for mail in mails.get(reply.address, []):
            late = mail.at - reply.at
            if late > reply.grace:
                yield f"{reply.address} got stage {stage_of(mail)} {late:.2f} s after answering stage {reply.stage}"


def _cards(evidence: Evidence) -> Iterator[str]:
    for (channel, key), times in Counter((one.channel, one.key) for one in evidence.cards).items():
        if times > 1:
            yield f"card {key} stands {times} times in {channel}"
    for channel in evidence.reply_channels:
        told = [one for one in evidence.cards if one.channel == channel and one.key.startswith("reply:")]
        for reply in evidence.replies:
            about = [one.key for one in told if reply.address in one.words]
            if len(about) != 1:
                yield f"the reply of {reply.address} has {len(about)} cards in {channel}: {about}"
        if len(told) != len(evidence.replies):
            yield f"{len(evidence.replies)} replies, {len(told)} cards in {channel}"
