"""One message on its way from a mailbox's bytes to rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Mailbox
from core.domain.address import match_key
from core.domain.bounce import BounceReport
from core.domain.enrollment import Enrollment
from core.domain.folder_sync import FolderState
from core.domain.matching import NOTHING, Match, address_keys, is_outgoing, is_unreadable, original_ids, scraped_keys
from core.domain.message import FetchedMessage, Header, InboundKind
from core.domain.mime import parse_header
from core.ports.storage import NewActivity, NewMessage

CHECK_MAIL_PREFIX = "rethread-canary."
_CHECK_MAIL_FIELD = "x-rethread-canary"
_MOST_RECIPIENTS = 200
_SENT_LABEL = "\\Sent"  # Gmail's own mark of what went out, also from an alias
_DRAFT = "\\Draft"


@dataclass(frozen=True, slots=True)
class FolderJob:
    """One pass over one folder. ``own_keys`` are the match keys of all connected mailboxes of the workspace.

    ``history`` reads old mail downwards in the background: it moves the history's mark, never the checkpoint; about
    ``history_left`` messages were left before it. ``lookup`` looks for old mail of an address: it moves nothing.
    """

    mailbox: Mailbox
    folder: FolderState
    uidvalidity: int
    exists: int
    highestmodseq: int | None
    own_keys: frozenset[str]
    history: bool = False
    history_left: int = 0
    lookup: bool = False


@dataclass(slots=True)
class Received:
    """A message, and what is known of it so far."""

    fetched: FetchedMessage
    header: Header
    outgoing: bool
    match: Match = NOTHING
    kind: InboundKind = InboundKind.OTHER
    needs_body: bool = False
    text: str = ""
    report: BounceReport | None = None
    raw: bytes | None = None
    unreadable: bool = False

    @classmethod
    def of(cls, job: FolderJob, fetched: FetchedMessage) -> Received:
        header = parse_header(fetched.header)
        outgoing = _SENT_LABEL in fetched.flags or is_outgoing(
            header, folder_role=job.folder.role, own_addresses=job.own_keys
        )
        return cls(fetched, header, outgoing, unreadable=is_unreadable(header, outgoing=outgoing))

    @property
    def is_draft(self) -> bool:
        """Written by us and not sent: nobody got it. Gmail's All Mail holds drafts too."""
        return _DRAFT in self.fetched.flags

    @property
    def keys(self) -> set[str]:
        """Match keys under which the other party may be known."""
        if self.unreadable:
            return scraped_keys(self.fetched.header)
        return address_keys(self.header, outgoing=self.outgoing)

    @property
    def moment(self) -> datetime | None:
        """When the server got it; the sender's own clock only where the server does not say."""
        return self.fetched.internal_date or self.header.date

    @property
    def is_kept_whole(self) -> bool:
        """What could not be read is kept whole, so that nothing is lost to a defect (R81, ruling)."""
        return bool(self.header.defects) or (self.unreadable and bool(self.match.people))

    @property
    def check_mail_ids(self) -> set[str]:
        """The ids of a mail that one of our mailboxes sent another to prove that both work (X6); else nothing."""
        own_id = self.header.message_id or ""
        named = self.header.fields.get(_CHECK_MAIL_FIELD, ()) if self.outgoing else ()
        if not named and not own_id.startswith(CHECK_MAIL_PREFIX):
            return set()
        return {own_id, *original_ids(self.header), *(value.strip().strip("<>") for value in named)} - {""}

    @property
    def original_id(self) -> str:
        """The id of the mail that a report is about, or the empty string."""
        return (self.report.original_message_id if self.report else "") or ""

    def arrived_after(self, moment: datetime) -> bool:
        return self.moment is None or self.moment >= moment

    def fingerprint(self) -> str:
        """The same mail seen again (another folder, new UIDVALIDITY) has the same fingerprint."""
        header = self.header
        who = match_key(header.from_.address) if header.from_ else ""
        date = header.date.isoformat() if header.date else ""
        basis = f"{header.message_id}|{date}|{who}" if header.message_id else ""
        return hashlib.sha256(basis.encode() or self.fetched.header).hexdigest()

    def header_hash(self, job: FolderJob) -> bytes:
        salt = job.folder.id.encode()[:64]
        return hashlib.blake2b(self.fetched.header, key=salt, digest_size=16).digest()

    def row(self, row_id: str, mailbox_id: str, now: datetime) -> NewMessage:
        header = self.header
        return NewMessage(
            id=row_id,
            mailbox_id=mailbox_id,
            fingerprint=self.fingerprint(),
            message_id=header.message_id,
            direction="out" if self.outgoing else "in",
            kind=self.kind.value,
            at=self.moment or now,
            sender=header.from_.address if header.from_ else "",
            recipients=tuple(address.address for address in header.recipients)[:_MOST_RECIPIENTS],
            subject=header.subject,
            in_reply_to=header.in_reply_to,
            references=header.references,
            thread_id=self.fetched.thread_id,
            text=self.text,
            defects=header.defects,
            raw=self.raw if self.is_kept_whole else None,
        )

    def activities(self, row: NewMessage, enrollments: Mapping[str, Enrollment]) -> list[NewActivity]:
        """One line for everybody the mail was matched to, and for the prospect whose mail it answers."""
        hit = self.match.answers or self.match.copy_of
        enrollment = enrollments.get(hit.enrollment_id) if hit else None
        people = dict(self.match.people)
        if enrollment is not None:
            people.setdefault(enrollment.person_id, self.match.answer_rule or "sent_copy")
        return [
            NewActivity(
                person_id=person_id,
                fingerprint=row.fingerprint,
                message_row_id=row.id,
                direction=row.direction,
                kind=row.kind,
                rule=rule,
                at=row.at,
                campaign_id=enrollment.campaign_id if enrollment and enrollment.person_id == person_id else None,
                enrollment_id=enrollment.id if enrollment and enrollment.person_id == person_id else None,
            )
            for person_id, rule in people.items()
        ]
