"""Reads what a domain publishes for mail programs: Mozilla's autoconfig file (the form of the ISPDB). Pure.

The file comes from a stranger's web server: a document type is refused before anything of it is read (so no entity can
be declared), and size, depth and number of elements are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from core.domain.dns_checks.names import host_name
from core.domain.mail_servers import SSL, STARTTLS, Server, Servers

MAX_BYTES: Final = 64 * 1024
_MOST_ELEMENTS: Final = 2_000
_DEEPEST: Final = 12
_LONGEST_TEXT: Final = 400
_TLS: Final = {"ssl": SSL, "tls": SSL, "starttls": STARTTLS}
_BY_PASSWORD: Final = {"", "password-cleartext", "password-encrypted", "plain", "secure"}


class AutoconfigError(ValueError):
    """What came is no autoconfig file that names servers which can be used; the message says why."""


@dataclass(slots=True)
class _Entry:
    """One incomingServer or outgoingServer."""

    side: str
    kind: str
    values: dict[str, str] = field(default_factory=dict)
    authentication: list[str] = field(default_factory=list)


def read_autoconfig(data: bytes, address: str) -> Servers:
    """The servers to use for ``address``: TLS only, from the first byte before STARTTLS, by password only.

    Raises AutoconfigError.
    """
    entries = _entries(data)
    imap = _best(entries, "incomingserver", "imap", (SSL,), address)
    smtp = _best(entries, "outgoingserver", "smtp", (SSL, STARTTLS), address)
    if imap is None or smtp is None:
        raise AutoconfigError("no IMAP and SMTP servers with TLS and a password are named")
    username = _filled(imap[1].values.get("username", ""), address)
    return Servers(imap[0], smtp[0], "" if username in ("", address) else username)


def _entries(data: bytes) -> list[_Entry]:
    if len(data) > MAX_BYTES:
        raise AutoconfigError(f"the file is larger than {MAX_BYTES} bytes")
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, UnicodeError, LookupError, ValueError) as error:
        raise error if isinstance(error, AutoconfigError) else AutoconfigError("the file is no XML") from None
    return reader.entries


class _Reader:
    """Gathers the servers while expat reads."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._elements = 0
        self._entry: _Entry | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, *_: object) -> None:
        raise AutoconfigError("the file declares a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._path.append(name.lower()[:40])
        if self._elements > _MOST_ELEMENTS or len(self._path) > _DEEPEST:
            raise AutoconfigError("the file is too large to be honest")
        self._text = []
        if self._path[:2] == ["clientconfig", "emailprovider"] and len(self._path) == 3:
            self._entry = _Entry(self._path[2], attributes.get("type", "").strip().lower())

    def _end(self, _: str) -> None:
        name, text = self._path.pop(), "".join(self._text).strip()[:_LONGEST_TEXT]
        depth, self._text = len(self._path), []
        if self._entry is None:
            return
        if depth == 3 and name == "authentication":
            self._entry.authentication.append(text.lower())
        elif depth == 3:
            self._entry.values.setdefault(name, text)
        elif depth == 2:
            self.entries.append(self._entry)
            self._entry = None

    def _characters(self, text: str) -> None:
        if sum(map(len, self._text)) <= _LONGEST_TEXT:
            self._text.append(text)


def _best(
    entries: list[_Entry], side: str, kind: str, wanted: tuple[str, ...], address: str
) -> tuple[Server, _Entry] | None:
    usable = [
        (server, entry)
        for entry in entries
        if (entry.side, entry.kind) == (side, kind)
        and _BY_PASSWORD & set(entry.authentication or [""])
        and (server := _server(entry, address)) is not None
        and server.tls in wanted
    ]
    return min(usable, key=lambda one: wanted.index(one[0].tls), default=None)


def _server(entry: _Entry, address: str) -> Server | None:
    host = host_name(_filled(entry.values.get("hostname", ""), address))
    port = entry.values.get("port", "")
    tls = _TLS.get(entry.values.get("sockettype", "").lower())
    if host is None or "." not in host or tls is None:
        return None
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65_536):
        return None
    return Server(host, int(port), tls)


def _filled(text: str, address: str) -> str:
    local, _, domain = address.rpartition("@")
    names = {"%EMAILADDRESS%": address, "%EMAILLOCALPART%": local, "%EMAILDOMAIN%": domain}
    for name, value in names.items():
        text = text.replace(name, value)
    return text.strip()
