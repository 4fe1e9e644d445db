"""Reports without a machine-readable part: what qmail, Exim, Postfix, Exchange, Gmail, Yahoo and their like say in
words. Pure; patterns are matched line by line with bounded gaps, on at most 64 KB, so time is linear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from core.domain.address import clean_address

MAX_PROSE: Final = 65_536
_MAX_LINES: Final = 1_000
_MAX_LINE: Final = 1_000
_MAX_FOUND: Final = 100

_ADDRESS: Final = r"[^\s<>\"'()\[\];,:|=]{1,64}@[^\s<>\"'()\[\];,:|=]{1,253}"

# Where the report ends and the returned mail begins.
_ORIGINAL: Final = re.compile(
    r"^[ \t>]{0,8}(?:"
    r"-{2,12} ?(?:this is a copy|original message|returned message|below this line|the (?:header|body|text) of|"
    r"enclosed|unsent message|message (?:header|body|text|follows|as follows)|forwarded|undelivered|attachment is|"
    r"the header|copy of|your (?:original )?message|------ this|returned mail).{0,80}|"
    r"(?:below (?:this line )?is (?:a copy of )?the|the following is a copy of|original message (?:follows|headers)|"
    r"here(?:'s| is) (?:a copy of )?the|your message reads|the first \d+ lines of|returned mail follows|"
    r"message header follows|-+ ?original message|-+returned mail follows-+|content of your message|"
    r"the header of the original).{0,80}"
    r")$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER_START: Final = re.compile(
    r"^(?:return-path|received|x-[a-z-]{2,40}|dkim-signature|arc-seal|message-id|from|date|mime-version|subject|"
    r"to): ?.",
    re.IGNORECASE | re.MULTILINE,
)

# A line that is, or begins with, the failed address: "<a@b>:", "a@b: 550 ...", "550 5.1.1 <a@b>... User unknown".
_LEADING: Final = re.compile(
    rf"[\s*>\-\"'(]{{0,20}}(?:[45]\d\d[ -](?:[45]\.\d{{1,3}}\.\d{{1,3}} )?)?[<\"']?(?:mailto:|smtp:)?({_ADDRESS}?)"
    r"[>\"']?\.{0,3}(?=\s*$|[\s:,;>\"')]|\.{3}|<mailto)",
    re.IGNORECASE,
)
# The address elsewhere in a line that says what became of it.
_WITHIN: Final = re.compile(
    rf"(?:deliver(?:ed|y)?(?: (?:this |the |your )?(?:message|mail|e-?mail))? to:?|recipients?\b.{{0,40}}:|userid:|"
    rf"attempts:|addressed to|address\b.{{0,20}}:|rcpt to:|smtp=|errors?: |message to:?|user\b.{{0,40}}\(|mail to:?|"
    rf"email to:?|expanded from:|sent to:?|reach(?:ed)?:?|zugestellt|an:|destinataire.{{0,20}}:|para:)\s{{0,4}}"
    rf"[<\"'(]{{0,2}}({_ADDRESS})",
    re.IGNORECASE,
)
_EXPANDED: Final = re.compile(rf"\(expanded from: ?<?({_ADDRESS})>?\)", re.IGNORECASE)
# Lines that name whom to ask, not who failed.
_CONTACT: Final = re.compile(
    r"contact|assist|postmaster|support@|please (?:send|visit|write|forward|e-?mail)|questions|generated from|help|"
    r"message (?:that )?(?:was )?sent by|a message (?:from|sent)|^\s*(?:from|to|cc|reply-to|return-path):|mail from",
    re.IGNORECASE,
)

_UNDELIVERED: Final = re.compile(
    r"(?:not|n't|n't|never|unable to|failed to|impossible to|could not|cannot|wasn't able to|didn't).{0,60}"
    r"(?:be )?(?:deliver|reach|sent|accepted|received|find)|undeliver|deliver\w*.{0,60}(?:fail|delay|problem|error|"
    r"trouble|"
    r"unsuccessful|suspended|postponed|status notification)|fail\w*.{0,40}(?:deliver|recipient|permanent)|"
    r"permanent (?:fatal )?error|returned (?:to sender|mail|message)|returned because|transcript of session|"
    r"mail delivery (?:sub)?system|(?:trouble|error|problem).{0,30}(?:deliver|sending)|had permanent|bounced|rejected|"
    r"(?:recipient|user|mailbox|address).{0,40}(?:unknown|not found|full|over quota)|invalid final delivery|"
    r"no such user|non remis|pas pu (?:e|ê)tre|nicht zugestellt|unzustellbar|konnte nicht|no se (?:pudo|puede|"
    r"ha podido)|"
    r"non (?:è stato|e stato) (?:possibile|recapitat)|não (?:foi possível|pôde|pode)|niet (?:worden )?(?:bezorgd|"
    r"afgeleverd)|"
    r"送信できません|配信できません|送信に失敗|无法|退信|不能投递|möglicherweise nicht vorhanden|have experienced",
    re.IGNORECASE,
)
_DELAYED: Final = re.compile(
    r"warning message only|will be (?:retried|attempted again)|not yet been delivered|has been (?:delayed|postponed)|"
    r"is delayed|(?:delivery )?attempts? will continue|(?:will|shall) (?:continue|keep) (?:to )?(?:try|attempt|retry)|"
    r"do(?:es)? not (?:need|have) to re-?send|not resend your|still (?:trying|being tried|attempting)|"
    r"temporary failure report|just a warning|will try again|delivery is delayed|only a warning|delayed mail|"
    r"no action is required on your part|wird weiterhin versucht|zustellung verzögert|retardée|se ha retrasado",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(
    r"failed permanently|permanent (?:fatal )?error|permanent failure|given up|giving up on|"
    r"no further (?:delivery )?attempts|"
    r"will be deleted from queue|will not be retried|could not be delivered for \d",
    re.IGNORECASE,
)

# Openings that only reports have; needed where sender and subject do not tell.
OPENING: Final = re.compile(
    r"\A[\s*=#-]{0,200}(?:(?:your|the following|this) (?:message|mail|e-?mail)\b.{0,60}\s(?:could not|was not|cannot|"
    r"has not)"
    r".{0,20}(?:be(?:en)? )?deliver|your mail sent on:|we had trouble delivering|"
    r"message from .{1,60}\.\s{1,4}unable to|"
    r"could not be delivered|votre message n'a pas pu|delivery (?:has )?failed|unable to deliver|"
    r"送信先の|メールエラー|this message was created automatically by mail delivery)",
    re.IGNORECASE,
)

NOTIFICATION: Final = re.compile(r'"(?:notificationType|eventType)"\s*:\s*"(Complaint|Bounce|Delivery)"')
NOTIFICATION_ADDRESS: Final = re.compile(r'"emailAddress"\s*:\s*"([^"\s]{3,320})"')
NOTIFICATION_REASON: Final = re.compile(r'"diagnosticCode"\s*:\s*"([^"]{1,1000})"')


def before_original(text: str) -> str:
    """The report itself: ``text`` up to the returned mail, at most 64 KB."""
    text = text[:MAX_PROSE]
    marker = _ORIGINAL.search(text)
    return text[: marker.start()] if marker and text[: marker.start()].strip() else text


def original_start(text: str) -> int:
    """The offset at which the header of the returned mail begins inside ``text``, or -1."""
    text = text[:MAX_PROSE]
    marker = _ORIGINAL.search(text)
    header = _HEADER_START.search(text, marker.end() if marker else 0)
    return header.start() if header else -1


def failed_addresses(text: str, reporters: frozenset[str]) -> tuple[str, ...]:
    """The addresses that a report in words names as failed, in order; ``reporters`` (lower case) are none of them."""
    found: list[str] = []
    for pattern in (_LEADING, _WITHIN):
        for line in _lines(text):
            found.extend(_in_line(line, pattern, reporters))
            if len(found) >= _MAX_FOUND:
                break
        if found:
            break
    return tuple(dict.fromkeys(found))


def _in_line(line: str, pattern: re.Pattern[str], reporters: frozenset[str]) -> Iterator[str]:
    expanded = _EXPANDED.search(line)
    if expanded:
        yield expanded[1]
        return
    match = pattern.match(line) if pattern is _LEADING else pattern.search(line)
    if match is None or (pattern is not _LEADING and _CONTACT.search(line[: match.start(1)])):
        return
    address = clean_address(match[1].rstrip("."))
    if address and address.lower() not in reporters:
        yield address


def _lines(text: str) -> list[str]:
    return [line[:_MAX_LINE] for line in text[:MAX_PROSE].split("\n", _MAX_LINES)[:_MAX_LINES]]


def excerpt(text: str, address: str) -> str:
    """The words about ``address``: from the line that names it on, as one text of at most 2,000 characters."""
    if not address:
        return ""
    lower, wanted = text.lower(), address.lower()
    start = lower.find(wanted)
    if start < 0:
        return ""
    line_start = lower.rfind("\n", 0, start) + 1
    return text[line_start : line_start + 2_000].strip()


def says_undelivered(subject: str, text: str) -> bool:
    """Whether the words are those of a report at all: a person may write from postmaster@, too."""
    lines = (subject[:_MAX_LINE], *_lines(text))
    return any(_UNDELIVERED.search(line) or _DELAYED.search(line) for line in lines)


def says_delayed(subject: str, text: str) -> bool:
    """Whether the report says that the server still tries."""
    lines = (subject[:_MAX_LINE], *_lines(text))
    return any(_DELAYED.search(line) for line in lines) and not any(_FINAL.search(line) for line in lines)
