"""Files arrive byte for byte under their own names, and no name or type breaks the mail around them."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage, Message
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.attachment import LONGEST_NAME, Attachment, content_type_of
from core.domain.compose import compose
from core.errors import InputError
from tests.unit.domain.test_compose import HEADERS, LETTER

ROLE = Attachment.of("role.pdf", b"%PDF-1.7 the role")
names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=LONGEST_NAME)


def files_of(raw: bytes) -> list[EmailMessage]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return cast(list[EmailMessage], list(message.iter_attachments()))


def test_texts_and_files_stand_side_by_side() -> None:
    """multipart/mixed of multipart/alternative and the files, each whole (RFC 2046 5.1)."""
    raw = compose(replace(LETTER, attachments=(ROLE, Attachment.of("map.png", b"\x89PNG"))))
    message = email.message_from_bytes(raw)
    assert message.keys() == HEADERS
    assert message.get_content_type() == "multipart/mixed"
    texts, *files = cast(list[Message], message.get_payload())
    assert [part.get_content_type() for part in cast(list[Message], texts.get_payload())] == ["text/plain", "text/html"]
    assert [part.get_content_type() for part in files] == ["application/pdf", "image/png"]
    assert [part.get_payload(decode=True) for part in files] == [b"%PDF-1.7 the role", b"\x89PNG"]
    assert not any(part.defects for part in message.walk())


@given(content=st.binary(max_size=1_000), name=names)
def test_a_file_arrives_as_it_was(content: bytes, name: str) -> None:
    """Any bytes; any name, but for slashes and the spaces around it."""
    try:
        attachment = Attachment.of(name, content)
    except InputError:
        assert not name.strip()
        return
    raw = compose(replace(LETTER, attachments=(attachment,)))
    [file] = files_of(raw)
    assert (
        file.get_content() in (content, content.decode("utf-8", "replace")) or file.get_payload(decode=True) == content
    )
    assert file.get_filename() == name.strip().replace("/", "_").replace("\\", "_")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


@pytest.mark.parametrize("name", ["", " ", "a\r\nBcc: x@y.test", "a\x00.pdf", "a\u2028b", "x" * (LONGEST_NAME + 1)])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    """With a word what to do."""
    with pytest.raises(InputError) as refused:
        Attachment.of(name, b"")
    assert (refused.value.field, refused.value.fix) == ("attachment", "Rename the file.")


@pytest.mark.parametrize(
    "name", ['a"; x="b.pdf', "=?utf-8?q?a=0ABcc=3A_x?=.pdf", "a;b.pdf", "a'b''c.pdf", "100%41.pdf", "\ud800.pdf"]
)
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    """Quotes, encoded words and percent signs stay inside the parameter."""
    raw = compose(replace(LETTER, attachments=(Attachment.of(name, b"x"),)))
    [file] = files_of(raw)
    assert file.get_filename() == name.replace("\ud800", "?")
    assert file.keys() == ["Content-Type", "Content-Disposition", "Content-Transfer-Encoding"]


@pytest.mark.parametrize(
    ("name", "wanted", "kind"),
    [
        ("role.PDF", "", "application/pdf"),
        ("notes", "", "application/octet-stream"),
        ("mail.eml", "message/rfc822", "application/octet-stream"),
        ("x.bin", "multipart/mixed; boundary=x", "application/octet-stream"),
        ("x.bin", "Image/PNG; name=x", "image/png"),
        ("x.txt", "text/plain\r\nBcc: x@y.test", "text/plain"),
        ("x.pdf", "nonsense", "application/pdf"),
    ],
)
def test_the_type_never_breaks_the_structure(name: str, wanted: str, kind: str) -> None:
    """A type without parameters, by the name where none fits; what has parts of its own goes as an opaque file."""
    attachment = Attachment.of(name, b"x", wanted)
    assert attachment.content_type == kind
    assert attachment.part.startswith(f"Content-Type: {kind}\r\n".encode())


def test_a_file_that_looks_like_our_boundaries_ends_no_part() -> None:
    """It goes as base64, which holds none of their signs."""
    boundary = b"\r\n--=-0123456789abcdef--\r\n--=_0123456789abcdef--\r\n"
    raw = compose(replace(LETTER, attachments=(Attachment.of("x.txt", boundary * 9),)))
    [file] = files_of(raw)
    assert file.get_payload(decode=True) == boundary * 9


def test_the_repr_of_a_file_does_not_hold_it() -> None:
    """Logs and errors stay short, and nobody's papers stand in them."""
    assert "JVBERi" not in repr(ROLE)


def test_types_go_by_the_last_ending() -> None:
    """As file managers do."""
    assert content_type_of("role.pdf.zip") == "application/zip"
