"""Turns a text part as transferred into readable UTF-8: transfer encoding, charset, HTML. Pure and linear in time.

``html.parser`` is not used: crafted markup makes it quadratic on the Pythons we run on.
"""

from __future__ import annotations

import binascii
import codecs
import html
import quopri
import re
from functools import lru_cache

# Codecs that are no charsets of text, or that take more than linear time.
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "mbcs", "oem"}
)
# What the label says against what senders mean (WHATWG Encoding): the label's superset.
_SUPERSETS = dict(
    pair.split(":")
    for pair in (
        "iso8859-1:cp1252 ascii:utf-8 gb2312:gb18030 gbk:gb18030 iso8859-9:cp1254 shift_jis:cp932 euc_kr:cp949 "
        "big5:big5hkscs tis-620:cp874 iso8859-11:cp874"
    ).split()
)
_ALIASES = dict(
    pair.split(":")
    for pair in (
        "iso-8859-8-i:iso8859-8 iso-8859-8-e:iso8859-8 ks_c_5601-1987:cp949 x-sjis:cp932 x-gbk:gb18030 cp-850:cp850 "
        "unicode:utf-16 utf8mb4:utf-8 x-mac-roman:mac_roman"
    ).split()
)
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_AFTER_BREAK = re.compile(r"\n[ \v]*\v")
_SOFT_BREAKS = re.compile(r" *\v[ \v]*")
_BLANK_LINES = re.compile(r"\n[ \n]*\n")
_BLOCK_TAGS = frozenset("div tr li h1 h2 h3 h4 h5 h6 dt dd section article header footer option center".split())
# A block begins or ends: one line break, however many blocks begin and end here.
_SOFT_BREAK = "\v"
_PARAGRAPH_TAGS = frozenset("p table ul ol dl blockquote pre".split())
_UNSEEN_TAGS = frozenset("script style head title template svg math noscript".split())


def readable_text(data: bytes, *, encoding: str, charset: str, subtype: str, limit: int) -> bytes:
    """UTF-8 with LF line ends, at most ``limit`` bytes, cut between characters. Any bytes give some text."""
    text = decode_charset(decode_transfer(data, encoding), charset)
    text = html_to_text(text) if subtype == "html" else text.replace("\r\n", "\n").replace("\r", "\n")
    encoded = text.encode("utf-8", "replace")
    return encoded if len(encoded) <= limit else encoded[:limit].decode("utf-8", "ignore").encode("utf-8")


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """Undoes base64 and quoted-printable, also broken or cut off ones; everything else is as it is."""
    if encoding == "quoted-printable":
        return quopri.decodestring(data)
    if encoding != "base64":
        return data
    letters = data.translate(None, _NOT_BASE64)
    return binascii.a2b_base64(letters[: len(letters) // 4 * 4] + _rest(letters))


def _rest(letters: bytes) -> bytes:
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def decode_charset(data: bytes, charset: str) -> str:
    """Text by the charset's label; without a known label UTF-8 where it fits, else Latin-1. Never fails."""
    codec = _codec(charset)
    if codec is None or codec == "utf-8":
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace") if _cut_or_labelled(data, charset) else data.decode("latin-1")
    return data.decode(codec, "replace")


def _cut_or_labelled(data: bytes, charset: str) -> bool:
    """Whether it is UTF-8 after all: labelled so, or only its last character was cut off."""
    if charset.startswith(("utf-8", "utf8")):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    name = charset.strip(" \"'").lower()
    name = _ALIASES.get(name, name)
    try:
        known = codecs.lookup(name).name
        b"a".decode(known, "replace")  # "zlib" and its like are codecs, but none of text
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if known in _NO_CHARSETS else _SUPERSETS.get(known, known)


def html_to_text(markup: str) -> str:
    """Text of HTML as a person would read it, links left out: a scanner, one pass, no tree."""
    pieces: list[str] = []
    position, unseen = 0, ""
    while position < len(markup):
        opened = markup.find("<", position)
        end = len(markup) if opened < 0 else opened
        if not unseen:
            pieces.append(_SPACES.sub(" ", html.unescape(markup[position:end]).replace("\n", " ")))
        if opened < 0:
            break
        tag = _TAG.match(markup, opened)
        if tag is None:
            position = _after_no_tag(markup, opened, pieces, unseen)
            continue
        closing, name = bool(tag[1]), tag[2].lower()
        if not unseen:
            pieces.append(_break(name, closing=closing))
        unseen = _unseen(unseen, name, closing=closing)
        position = _after(markup, ">", tag.end())
    text = _AFTER_BREAK.sub("\n", "".join(pieces))
    lines = (line.strip(" ") for line in _SOFT_BREAKS.sub("\n", text).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n ") + "\n"


def _after_no_tag(markup: str, opened: int, pieces: list[str], unseen: str) -> int:
    """Past a comment or a declaration; a bare "<" is text."""
    if markup.startswith("<!--", opened):
        return _after(markup, "-->", opened + 4)
    if markup.startswith(("<!", "<?", "</"), opened):
        return _after(markup, ">", opened + 2)
    if not unseen:
        pieces.append("<")
    return opened + 1


def _after(markup: str, end: str, position: int) -> int:
    """The position after ``end``; without one the rest is swallowed, so each byte is looked at once."""
    found = markup.find(end, position)
    return len(markup) if found < 0 else found + len(end)


def _break(name: str, *, closing: bool) -> str:
    if name in _PARAGRAPH_TAGS:
        return "\n\n"
    if name in {"br", "hr"}:
        return "\n"
    if name in _BLOCK_TAGS:
        return _SOFT_BREAK
    return " " if name in {"td", "th"} and closing else ""


def _unseen(unseen: str, name: str, *, closing: bool) -> str:
    """The element whose content is not shown, if we are inside one (they do not nest here)."""
    if unseen:
        return "" if closing and name == unseen else unseen
    return name if not closing and name in _UNSEEN_TAGS else ""
