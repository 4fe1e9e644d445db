"""E-mail addresses: read from headers, checked for import, compared. Pure.

One linear scanner of our own (RFC 5322 3.4 with the obsolete forms): the standard library's parsers take seconds on
a header of many quotes. What comes out holds no control characters and no spaces, so that it can never inject a
header or a command.
"""

from __future__ import annotations

import re
from typing import Final

import idna

from core.domain.charset import decode_words, one_line
from core.domain.message import Address

MAX_ADDRESS_LENGTH: Final = 320
MAX_NAME_LENGTH: Final = 256
_GOOGLE_DOMAINS: Final = frozenset({"gmail.com", "googlemail.com"})

# The usual shape, one address: "Name" <a@b>, Name <a@b>, <a@b>, a@b. The exclusions keep the parts from overlapping.
_USUAL: Final = re.compile(
    r'\s*+(?:"([^"\\]*+)"\s*+<|([^"<>,;:()@\\]*+)<)([^\s"<>,;:()@\\\[\]\x00-\x20\x7f-\xa0]{1,64}@[A-Za-z0-9.-]{1,253})>\s*+'
)
_BARE: Final = re.compile(r'\s*+([^\s"<>,;:()@\\\[\]\x00-\x20\x7f-\xa0]{1,64}@[A-Za-z0-9.-]{1,253})\s*+')
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[()<>,;:]|\\.?|[^"()<>,;:\\]++', re.DOTALL)

_LOCAL: Final = re.compile(r'[^\s"<>,;:()@\\\[\]\x00-\x20\x7f-\xa0]++|"[^"\x00-\x1f\x7f-\x9f]*+"')
_DOMAIN: Final = re.compile(r"[^\W](?:[\w.-]*\w)?\.?|\[[0-9A-Za-z.:]{2,60}\]")

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_STRICT_LOCAL: Final = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"[A-Za-z0-9 !#-\[\]-~]+"')
_STRICT_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


def parse_address(text: str) -> Address | None:
    """The first address in ``text``, or None where there is none."""
    found = parse_address_list(text, limit=1)
    return found[0] if found else None


def parse_address_list(text: str, *, limit: int = 200) -> tuple[Address, ...]:
    """Addresses of a header value, at most ``limit``; groups are opened, comments become names. Time is linear."""
    usual = _USUAL.fullmatch(text)
    if usual:
        quoted, plain, address = usual.groups()
        return (Address(_fold_domain(address), _display_name(quoted or plain or "")),)
    bare = _BARE.fullmatch(text)
    if bare:
        return (Address(_fold_domain(bare[1])),)
    return _Scanner(limit).run(text)


def match_key(address: str) -> str:
    """The exact-match key (R86): the whole address in lower case, its domain in ASCII (IDNA 2008). Nothing else."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}" if at else domain


def normalised_key(address: str) -> str:
    """The key under which variants of one mailbox meet (R87): ``loose_key`` of the match key."""
    return loose_key(match_key(address))


def loose_key(key: str) -> str:
    """What a match key has in common with other spellings of the same mailbox.

    Gmail ignores dots and +tags and owns googlemail.com; elsewhere only the +tag goes (RFC 5233 calls it detail). A
    quoted local part stays as it is: what stands in quotes is meant.
    """
    local, at, domain = key.rpartition("@")
    if local.startswith('"'):
        return key
    base = local.split("+", 1)[0] or local
    if domain in _GOOGLE_DOMAINS:
        base, domain = base.replace(".", "") or base, "gmail.com"
    return f"{base}{at}{domain}"


def is_valid(address: str) -> bool:
    """Whether ``address`` is an address one may mail: RFC 5321 lengths, ASCII local part, full domain name."""
    local, at, domain = address.rpartition("@")
    if not at or len(address) > 254 or not 0 < len(local) <= 64 or domain.endswith("."):
        return False
    labels = _ascii_domain(domain.lower()).split(".")
    return (
        _STRICT_LOCAL.fullmatch(local) is not None
        and len(labels) >= 2
        and all(_STRICT_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )


def domain_of(address: str) -> str:
    """The domain in lower-case ASCII, or the empty string."""
    return match_key(address).rpartition("@")[2] if "@" in address else ""


def clean_address(text: str) -> str:
    """``text`` as an address with its domain in lower case, or the empty string where it is none (RFC 5321 4.1.2)."""
    local, at, domain = text.strip().rpartition("@")
    if not at or len(text) > MAX_ADDRESS_LENGTH or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return ""
    return f"{local}@{domain.lower().rstrip('.')}"


def _fold_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii() or len(domain) > 253:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain


def _display_name(raw: str) -> str:
    name = _QUOTED_PAIR.sub(r"\1", raw) if "\\" in raw else raw
    if "=?" in name:
        name = decode_words(name)[0]
    return one_line(name).strip("\"' ")[:MAX_NAME_LENGTH]


class _Scanner:
    """One walk over the tokens of an address list, keeping what belongs to the address being read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: list[Address] = []
        self._reset()

    def _reset(self) -> None:
        self._phrase: list[str] = []
        self._comment: list[str] = []
        self._route: list[str] | None = None
        self._depth = 0
        self._in_angle = False

    def run(self, text: str) -> tuple[Address, ...]:
        for match in _TOKEN.finditer(text):
            self._take(match[0])
            if len(self._found) >= self._limit:
                return tuple(self._found)
        self._finish()
        return tuple(self._found[: self._limit])

    def _take(self, token: str) -> None:
        if token == "(":
            self._depth += 1
        elif token == ")":
            self._depth = max(0, self._depth - 1)
        elif self._depth:
            self._comment.append(token)
        elif token == "<":
            self._route, self._in_angle = [], True
        elif token == ">":
            self._in_angle = False
        elif self._in_angle and not self._ends_open_angle(token):
            self._route_part(token)
        elif token in (",", ";"):
            self._finish()
        elif token == ":":
            self._phrase.clear()
        else:
            self._phrase.append(token)

    def _ends_open_angle(self, token: str) -> bool:
        """A comma after a whole address means that the closing bracket was forgotten."""
        return token in (",", ";") and any("@" in part[1:] for part in self._route or ())

    def _route_part(self, token: str) -> None:
        if self._route is not None:
            self._route.append(token)

    def _finish(self) -> None:
        address, name = self._address_and_name()
        if address:
            self._found.append(Address(address, name))
        self._reset()

    def _address_and_name(self) -> tuple[str, str]:
        phrase = "".join(self._phrase).strip()
        comment = "".join(self._comment)
        if self._route is not None:
            route = "".join(self._route).strip()
            address = clean_address(route.rpartition(":")[2] if route.startswith("@") else route)
            return address, _display_name(_unquote(phrase) or comment)
        if "@" not in phrase:
            return "", ""
        whole = clean_address(phrase)
        if whole:
            return whole, _display_name(comment)
        words = phrase.split()
        last = next((word for word in reversed(words) if "@" in word), "")
        return clean_address(last.strip("'[]")), _display_name(comment or " ".join(w for w in words if w != last))


def _unquote(phrase: str) -> str:
    return phrase[1:-1] if len(phrase) >= 2 and phrase[0] == phrase[-1] == '"' else phrase.replace('"', "")
