"""Bytes of mail to text that people read: charsets, encoded words (RFC 2047), and what is never shown. Pure.

Charset labels are looked up in our own table: Python's registry would import modules by a stranger's word, and knows
codecs (punycode, unicode_escape) that must not run on hostile bytes.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

_ISO: Final = {f"iso-8859-{n}": f"iso8859-{n}" for n in (*range(2, 12), *range(13, 17))}
_WINDOWS: Final = {f"windows-{n}": f"cp{n}" for n in range(1250, 1259)} | {
    f"cp{n}": f"cp{n}" for n in range(1250, 1259)
}

# Latin-1 is read as its superset windows-1252 and GB2312 as GB18030, as browsers do: senders mislabel.
CODECS: Final[dict[str, str]] = {
    **_ISO,
    **_WINDOWS,
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-12": "cp1252",
    "windows-874": "cp874",
    "tis-620": "cp874",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "cp437": "cp437",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_2",
    "iso-2022-jp-2": "iso2022_jp_2",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "cp949": "cp949",
    "iso-2022-kr": "iso2022_kr",
    "utf-7": "utf-7",
    "unicode-1-1-utf-7": "utf-7",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
}

# An encoded word; the inner parts exclude "?" so that no two repeats can match the same character.
_WORD: Final = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?\r\n]*)\?=")
_GAP_BETWEEN_WORDS: Final = re.compile(r"(\?=)\s++(?==\?)")

# Controls, bidirectional overrides, zero-width and tag characters, lone surrogates: they forge what a person sees,
# and databases refuse some of them. Joiners (U+200C, U+200D) stay: Persian and emoji need them.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_BREAKS: Final = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]++")
_BREAKS_TO_NEWLINE: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def decode_text(data: bytes, charset: str) -> tuple[str, bool]:
    """Text of ``data`` by a charset label, and whether the label was known and fitted. Never raises.

    UTF-8 is tried first where the label is unknown or wrong, then windows-1252 with replacement.
    """
    codec = CODECS.get(charset.strip().strip("\"'").lower()) if charset else "utf-8"
    for candidate in (codec, "utf-8"):
        if candidate is None:
            continue
        try:
            return data.decode(candidate), candidate == codec
        except (UnicodeError, ValueError):
            continue
    fallback = codec if codec not in (None, "utf-8") else "cp1252"
    return data.decode(fallback or "cp1252", errors="replace"), False


def one_line(text: str) -> str:
    """``text`` as one visible line: breaks become a space, unseen characters go."""
    if text.isprintable():
        return text.strip()
    return _UNSEEN.sub("", _LINE_BREAKS.sub(" ", text)).strip()


def many_lines(text: str) -> str:
    """``text`` with LF line ends and unseen characters gone; tabs stay."""
    return _UNSEEN.sub("", _BREAKS_TO_NEWLINE.sub("\n", text))


def decode_words(value: str) -> tuple[str, bool]:
    """A header value with its encoded words decoded (RFC 2047), and whether all of them could be. Never raises.

    Neighbouring words of one charset are joined before decoding, because senders split characters across words
    although section 5 forbids it.
    """
    if "=?" not in value:
        return value, True
    value = _GAP_BETWEEN_WORDS.sub(r"\1", value)
    pieces: list[str] = []
    pending: list[bytes] = []
    charset, position, sound = "", 0, True
    for match in _WORD.finditer(value):
        label, encoding, payload = match.groups()
        if pending and (match.start() != position or label.lower() != charset):
            sound &= _flush(pieces, pending, charset)
        if match.start() != position:
            pieces.append(value[position : match.start()])
        data = _word_bytes(encoding, payload)
        sound &= data is not None
        charset, position = label.lower(), match.end()
        pending.append(payload.encode("utf-8", "replace") if data is None else data)
    if pending:
        sound &= _flush(pieces, pending, charset)
    pieces.append(value[position:])
    return "".join(pieces), sound


def _flush(pieces: list[str], pending: list[bytes], charset: str) -> bool:
    text, sound = decode_text(b"".join(pending), charset)
    pieces.append(text)
    pending.clear()
    return sound


def _word_bytes(encoding: str, payload: str) -> bytes | None:
    raw = payload.encode("utf-8", "replace")
    try:
        if encoding in "qQ":
            return binascii.a2b_qp(raw, header=True)
        return decode_base64(raw)
    except binascii.Error:
        return None


_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")


def decode_base64(data: bytes) -> bytes:
    """Base64 with foreign characters skipped and missing padding supplied (what the world sends). Never raises."""
    clean = _NOT_BASE64.sub(b"", data)
    usable = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(usable + b"=" * (-len(usable) % 4))
