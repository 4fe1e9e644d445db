"""How six mail providers differ on the wire, as data for the fault server.

Greetings, capability lists and refusals follow what these servers say; names of machines are invented.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tests.fakes.fault_imap_fetch import FetchQuirks


class Modseq(StrEnum):
    """When HIGHESTMODSEQ is told: always, once CONDSTORE was enabled, never."""

    ALWAYS = "always"
    ENABLED = "enabled"
    NEVER = "never"


@dataclass(frozen=True)
class Profile:
    """What a provider says. ``early`` and ``late`` are the capabilities before and after the login."""

    name: str
    greeting: str
    early: str
    late: str
    folders: tuple[tuple[str, tuple[str, ...]], ...]
    sent: str
    inbox: str = "INBOX"
    modseq: Modseq = Modseq.NEVER
    enabled: str = ""
    quirks: FetchQuirks = field(default_factory=FetchQuirks)
    badcharset: bool = False
    keepalive: str = ""
    idle_limit: float | None = None  # seconds of IDLE after which the server drops the connection
    keepalive_every: float | None = None
    most_logins: int | None = None
    too_many: str = ""

    @property
    def has_condstore(self) -> bool:
        return "CONDSTORE" in self.late.split()


_PLAIN_FOLDERS = (
    ("INBOX", ("\\HasNoChildren",)),
    ("Sent", ("\\HasNoChildren", "\\Sent")),
    ("Junk", ("\\HasNoChildren", "\\Junk")),
    ("Trash", ("\\HasNoChildren", "\\Trash")),
)

DOVECOT = Profile(
    name="dovecot",
    greeting="Dovecot (Debian) ready.",
    early="IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=XOAUTH2",
    late=(
        "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT THREAD=REFERENCES MULTIAPPEND URL-PARTIAL UNSELECT "
        "CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN "
        "CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ "
        "NOTIFY SPECIAL-USE"
    ),
    folders=_PLAIN_FOLDERS,
    sent="Sent",
    modseq=Modseq.ALWAYS,
    enabled="CONDSTORE",
    keepalive="* OK Still here",
)

GMAIL = Profile(
    name="gmail",
    greeting="Gimap ready for requests from 203.0.113.9 a1mb424242",
    early=(
        "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 AUTH=PLAIN "
        "AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER"
    ),
    late=(
        "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE "
        "CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE APPENDLIMIT=35651584"
    ),
    folders=(
        ("INBOX", ("\\HasNoChildren",)),
        ("[Gmail]", ("\\HasChildren", "\\Noselect")),
        ("[Gmail]/All Mail", ("\\All", "\\HasNoChildren")),
        ("[Gmail]/Drafts", ("\\Drafts", "\\HasNoChildren")),
        ("[Gmail]/Sent Mail", ("\\HasNoChildren", "\\Sent")),
        ("[Gmail]/Spam", ("\\HasNoChildren", "\\Junk")),
        ("[Gmail]/Trash", ("\\HasNoChildren", "\\Trash")),
    ),
    sent="[Gmail]/Sent Mail",
    modseq=Modseq.ALWAYS,
    quirks=FetchQuirks(labels=True),
    keepalive="* OK Still here",
    most_logins=15,
    too_many="[ALERT] Too many simultaneous connections. (Failure)",
)

EXCHANGE = Profile(
    name="exchange",
    greeting="The Microsoft Exchange IMAP4 service is ready. [QUJDREVGR0g=]",
    early="IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
    late=(
        "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES "
        "CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+"
    ),
    folders=(
        ("INBOX", ("\\Marked", "\\HasNoChildren")),
        ("Gesendete Elemente", ("\\HasNoChildren",)),
        ("Junk-E-Mail", ("\\HasNoChildren",)),
        ("Gel&APY-schte Elemente", ("\\HasNoChildren",)),
        ("Kalender", ("\\HasNoChildren",)),
    ),
    sent="Gesendete Elemente",
    quirks=FetchQuirks(broken_structure=True),
    badcharset=True,
    most_logins=16,
    too_many="[LIMIT] Too many connections",
)

ICLOUD = Profile(
    name="icloud",
    greeting="(2322B20-8c2f5f1e8a31) mr21p00im-example imap ready",
    # The proxy in front answers for a server that it has not asked yet.
    early="XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 SASL-IR AUTH=ATOKEN AUTH=PTOKEN AUTH=PLAIN X-GM-EXT-1 SPECIAL-USE",
    late=(
        "XAPPLEPUSHSERVICE IMAP4 IMAP4rev1 ACL QUOTA LITERAL+ NAMESPACE UIDPLUS CHILDREN BINARY UNSELECT SORT "
        "CATENATE URLAUTH LANGUAGE ESEARCH ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES CONDSTORE ENABLE "
        "CONTEXT=SEARCH CONTEXT=SORT WITHIN SASL-IR SEARCHRES METADATA ID IDLE QRESYNC"
    ),
    folders=(
        ("INBOX", ("\\Noinferiors",)),
        ("Sent Messages", ("\\HasNoChildren",)),
        ("Junk", ("\\HasNoChildren",)),
        ("Deleted Messages", ("\\HasNoChildren",)),
    ),
    sent="Sent Messages",
    modseq=Modseq.ENABLED,
    quirks=FetchQuirks(empty_rfc822=True),
)

YAHOO = Profile(
    name="yahoo",
    greeting="IMAP4rev1 imapgate-1.9.4 imap.mail.example",
    early="IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS",
    late="IMAP4rev1 SASL-IR ID MOVE NAMESPACE XYMHIGHESTMODSEQ UIDPLUS LITERAL+ CHILDREN IDLE UNSELECT X-MSG-EXT",
    folders=(
        ("Inbox", ("\\Inbox", "\\HasNoChildren")),
        ("Sent", ("\\Sent", "\\HasNoChildren")),
        ("Bulk", ("\\Junk", "\\HasNoChildren")),
        ("Trash", ("\\Trash", "\\HasNoChildren")),
    ),
    sent="Sent",
    inbox="Inbox",
    modseq=Modseq.ALWAYS,
    idle_limit=300.0,
    most_logins=3,
    too_many="[LIMIT] Too many simultaneous connections",
)

GODADDY = Profile(
    name="godaddy",
    greeting="Dovecot ready.",
    early="IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=LOGIN",
    late="IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED",
    folders=(
        ("INBOX", ("\\HasChildren",)),
        ("INBOX.Sent", ("\\HasNoChildren", "\\Sent")),
        ("INBOX.Junk", ("\\HasNoChildren", "\\Junk")),
    ),
    sent="INBOX.Sent",
    quirks=FetchQuirks(missing_fields=frozenset({"FROM", "TO"})),
)

PROFILES = (DOVECOT, GMAIL, EXCHANGE, ICLOUD, YAHOO, GODADDY)
