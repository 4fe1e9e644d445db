"""Server replies in one form, so that ids, time stamps and line breaks do not hide what was said. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass

# A reply longer than this says what it has to say at its start; the bound keeps hostile input cheap.
MAX_LENGTH = 4000

_ESCAPED_BREAK = re.compile(r"\\[rnt]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b\ufeff]+")
_BLANKS = re.compile(r"\s+")
_IMAP_STATUS = re.compile(r"^(?:[*+]|[\w.]{1,16})?\s?(?:[:<>]\s)?(?:\*\s)?\b(ok|no|bad|bye)\b")
_STAMP = re.compile(r"\[?\b\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?z?\b\]?")
_OUTLOOK_ID = re.compile(r"\[[\w.-]{1,120}\.(?:prod|eurprd\d\d|namprd\d\d)\.[\w.-]{1,80}(?:\s[^\]]{1,80})?\]")
_GSMTP_ID = re.compile(r"\s(?:[\w.-]{4,80}\s)?-\s?gsmtp\b")
_GUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_LEADING_CODE = re.compile(r"^\D{0,60}?(?<![\w.:/])([2-5]\d\d)(?=[\s\-,:]|$)")
_BASE64_JSON = re.compile(r"\be[wy][A-Za-z0-9+/_-]{16,2000}={0,2}")

# RFC 5530, RFC 3501, RFC 7162 and the codes that Google and others have added.
_KNOWN_CODES = (
    "alert|alreadyexists|authenticationfailed|authentication failed|authorizationfailed|badcharset|cannot|clientbug|"
    "closed|contactadmin|corruption|expired|expungeissued|inuse|limit|nomodseq|nonexistent|noperm|overquota|"
    "privacyrequired|referral|serverbug|throttled|trycreate|uidvalidity|unavailable|webalert"
)
_CODE = re.compile(rf"\[({_KNOWN_CODES})(?:\s[^\]]{{0,300}})?\]")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply made comparable.

    ``text`` is lower case on one line; ``verb`` the IMAP status (ok, no, bad, bye) or ""; ``codes`` the IMAP response
    codes in order, upper case; ``statuses`` the enhanced status codes (RFC 3463), such as "5.7.8"; ``challenge`` the
    JSON a server sends, base64-coded, in answer to a refused XOAUTH2 token.
    """

    text: str
    verb: str
    codes: tuple[str, ...]
    smtp_code: int | None
    statuses: tuple[str, ...]
    challenge: dict[str, object] | None


def one_line(raw: str) -> str:
    """The reply on one line, blanks collapsed, at most MAX_LENGTH characters, case kept."""
    text = _ESCAPED_BREAK.sub(" ", raw[:MAX_LENGTH])
    return _BLANKS.sub(" ", _CONTROL.sub(" ", text)).strip()


def _joined(text: str, code: int | None) -> str:
    """Drops the code and status that SMTP repeats on every line of one reply (RFC 5321 4.2.1)."""
    if code is None:
        return text
    repeated = re.compile(rf"(?<![\w.]){code}[- ](?:[245]\.\d{{1,3}}\.\d{{1,3}} ?)?")
    return repeated.sub(" ", text)


def _without_ids(text: str) -> str:
    for pattern in (_STAMP, _OUTLOOK_ID, _GSMTP_ID, _GUID):
        text = pattern.sub(" ", text)
    return _BLANKS.sub(" ", text).strip()


def _challenge(line: str) -> dict[str, object] | None:
    found = _BASE64_JSON.search(line)
    if not found:
        return None
    coded = found.group().rstrip("=")
    try:
        decoded = json.loads(base64.b64decode(coded + "=" * (-len(coded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def read_reply(raw: str, smtp_code: int | None = None) -> Reply:
    """Brings a reply into comparable form; never raises, whatever the text."""
    line = one_line(raw)
    lowered = line.lower()
    leading = _LEADING_CODE.match(lowered)
    code = smtp_code or (int(leading.group(1)) if leading else None)
    verb = _IMAP_STATUS.match(lowered)
    return Reply(
        text=_without_ids(_joined(lowered, code)),
        verb=verb.group(1) if verb else "",
        codes=tuple(found.group(1).replace(" ", "").upper() for found in _CODE.finditer(lowered)),
        smtp_code=code,
        statuses=tuple(dict.fromkeys(".".join(found.groups()) for found in _STATUS.finditer(lowered))),
        challenge=_challenge(line),
    )
