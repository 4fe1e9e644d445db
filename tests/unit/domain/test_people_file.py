"""The people file: good rows go in whatever stands beside them, bad ones are named with their line."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.people_file import read
from core.errors import InputError

NOW = datetime(2026, 9, 1, tzinfo=UTC)
HEADING = "first_name,last_name,personal_email,work_email,primary,timezone,company\n"
MAYA = "Maya,Lind,maya@candidates.example,maya@northwind.example,work,Europe/London,Northwind\n"
BEN = "Ben,Carter,ben@candidates.example,,,,\n"


def names(raw: bytes | str) -> list[str]:
    rows, _ = read(raw.encode() if isinstance(raw, str) else raw, now=NOW)
    return [row.first_name for row in rows]


def rejected(raw: bytes | str) -> list[tuple[int, str]]:
    _, bad = read(raw.encode() if isinstance(raw, str) else raw, now=NOW)
    return [(one.line, one.reason) for one in bad]


def test_a_row_is_read_with_addresses_and_merge_fields() -> None:
    """Types in order, the primary as asked, every further column a merge field."""
    (row,), bad = read((HEADING + MAYA).encode(), now=NOW)
    assert bad == []
    assert [(one.address, one.type, one.primary) for one in row.addresses] == [
        ("maya@candidates.example", "personal", False),
        ("maya@northwind.example", "work", True),
    ]
    assert (row.line, row.timezone, row.fields) == (2, "Europe/London", {"company": "Northwind"})


@pytest.mark.parametrize("primary", ["work", "maya@northwind.example", "Maya@Northwind.Example"])
def test_the_primary_is_a_type_or_an_address_in_any_case(primary: str) -> None:
    """The address compares as addresses do."""
    (row,), _ = read((HEADING + MAYA.replace(",work,", f",{primary},")).encode(), now=NOW)
    assert [one.type for one in row.addresses if one.primary] == ["work"]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xef\xbb\xbf" + (HEADING + MAYA).encode(), id="UTF-8 with a mark"),
        pytest.param((HEADING + MAYA).encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(b"\xfe\xff" + (HEADING + MAYA).encode("utf-16-be"), id="UTF-16 big-endian"),
        pytest.param((HEADING + MAYA).replace(",", ";").encode(), id="semicolons"),
        pytest.param((HEADING + MAYA).replace(",", "\t").encode(), id="tabs"),
        pytest.param((HEADING + MAYA).replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param((HEADING + MAYA).replace("\n", "\r").encode(), id="CR alone"),
        pytest.param((HEADING + "\n\n" + MAYA + "\n,,,,,,\n").encode(), id="empty lines"),
        pytest.param((HEADING + MAYA).replace("Maya,", "Ma\x00ya,").encode(), id="NUL"),
        pytest.param((HEADING + MAYA).rstrip().encode(), id="no last line end"),
        pytest.param((HEADING.upper() + MAYA).encode(), id="heading in capitals"),
        pytest.param(('"First Name","Last  name", E-mail ,work_email,primary,Time zone,company\n' + MAYA)
                     .replace("E-mail", "email").encode(), id="other spellings"),
    ],
)  # fmt: skip
def test_files_as_spreadsheets_write_them(raw: bytes) -> None:
    """Marks, encodings, separators and line ends do not matter."""
    assert names(raw) == ["Maya"]
    assert rejected(raw) == []


def test_windows_letters_are_read() -> None:
    """What is not UTF-8 is Windows-1252."""
    assert names(f"{HEADING}Zoë,{MAYA.split(',', 1)[1]}".encode("cp1252")) == ["Zoë"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Ann,Bad,not an address,,,,\n", "personal_email 'not an address' is not an e-mail address"),
        ("Ann,Bad,ann@a.example,,,Mars/Base,\n", "is no IANA time zone"),
        ("Ann,Bad,ann@a.example,,other@b.example,,\n", "is neither personal, work, other nor"),
        ("Ann,,,,,,\n", "has neither an address nor a last name"),
        ("Ann,Bad,ann@a.example,,,,x,y,z\n", "has 9 cells, the heading 7"),
        ("A\x07nn,Bad,ann@a.example,,,,\n", "contains control characters"),
        ("Ann,Bad,ann@a.example,,,,a\u2028b\n", "contains control characters"),
        (f"{'A' * 10_001},Bad,ann@a.example,,,,\n", "longer than 10,000"),
        (f"{'A' * 200_000},Bad,ann@a.example,,,,\n", "cannot be read as CSV"),
        ("Ann,Bad,=cmd|'/c calc'!A1,,,,\n", "is not an e-mail address"),
        ('Ann,Bad,"ann@a.example\nBcc: x@y.example",,,,\n', "is not an e-mail address"),
    ],
)
def test_a_bad_row_is_named_and_its_neighbours_go_in(line: str, reason: str) -> None:
    """The row before and the row after are imported; the reason says what to mend."""
    raw = HEADING + MAYA + line + BEN
    assert names(raw) == ["Maya", "Ben"]
    ((number, why),) = rejected(raw)
    assert number == 3
    assert reason in why


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    """A quoted cell of several lines does not shift the numbers of what follows."""
    raw = f'{HEADING}Maya,Lind,maya@candidates.example,,,,"North\nwind\n""Ltd"""\n\nAnn,Bad,x,,,,\n{BEN}Zed,Bad,y,,,,\n'
    assert names(raw) == ["Maya", "Ben"]
    assert [number for number, _ in rejected(raw)] == [6, 8]
    (maya, _), _ = read(raw.encode(), now=NOW)
    assert maya.fields == {"company": 'North\nwind\n"Ltd"'}


def test_a_name_is_one_line() -> None:
    """A break in a name's cell is a space: no header could carry it."""
    (row,), _ = read(f'{HEADING}"Maya\n Ann",Lind,m@a.example,,,,\n'.encode(), now=NOW)
    assert row.first_name == "Maya Ann"


def test_a_formula_is_a_text_like_any_other() -> None:
    """Nothing is computed and nothing is lost; making exports safe is the export's work."""
    (row,), _ = read(f'{HEADING}=1+1,Lind,m@a.example,,,,"=HYPERLINK(""x"")"\n'.encode(), now=NOW)
    assert (row.first_name, row.fields["company"]) == ("=1+1", '=HYPERLINK("x")')


@pytest.mark.parametrize(
    ("heading", "reason"),
    [
        ("", "has no column"),
        ("first_name,last_name\n", "has no column"),
        ("personal_email,first_name,First Name\n", "names a column twice: first_name"),
        ("personal_email,email\n", "names a column twice: personal_email"),
        ("personal_email," + ",".join(f"c{n}" for n in range(10_000)) + "\n", "more than 200 columns"),
        ("personal_email," + ",".join("c" for _ in range(1_000_000)) + "\n", "more than 200 columns"),
        (f"personal_email,{'c' * 200_000}\n", "cannot be read as CSV"),
    ],
)
def test_a_heading_that_cannot_be_used_refuses_the_file(heading: str, reason: str) -> None:
    """At once, also where it is enormous."""
    began = time.process_time()
    with pytest.raises(InputError) as refused:
        read(heading.encode(), now=NOW)
    assert reason in refused.value.reason
    assert time.process_time() - began < 3


def test_the_same_address_twice_in_a_row_is_one_address() -> None:
    """In any case of letters."""
    (row,), _ = read(f"{HEADING}Maya,Lind,maya@a.example,Maya@A.example,,,\n".encode(), now=NOW)
    assert [(one.type, one.primary) for one in row.addresses] == [("personal", True)]


def test_many_rows_with_zones_take_little_time() -> None:
    """The list of time zones is read once, not for each row."""
    raw = HEADING + "".join(f"N,L,n{n}@a.example,,,Europe/London,\n" for n in range(5_000))
    began = time.process_time()
    assert len(names(raw)) == 5_000
    assert time.process_time() - began < 3


@given(st.binary(max_size=400) | st.text(st.sampled_from('a@.,;"\n\r\t\x00='), max_size=120).map(str.encode))
def test_no_bytes_raise_anything_but_a_named_fault(raw: bytes) -> None:
    """Whatever follows a good heading: each row is good or rejected, and nobody crashes."""
    rows, bad = read(b"first_name,personal_email\nMaya,maya@a.example\n" + raw, now=NOW)
    assert rows[0].first_name == "Maya" or bad
    assert all(one.line >= 2 for one in bad)
