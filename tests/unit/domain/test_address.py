"""Addresses as headers and CSV files hold them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.address import (
    domain_of,
    is_valid,
    match_key,
    normalised_key,
    parse_address,
    parse_address_list,
)
from core.domain.message import Address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("carla@candidates.example", [("carla@candidates.example", "")]),
        ("Carla C <carla@Candidates.Example>", [("carla@candidates.example", "Carla C")]),
        ('"C, Carla" <carla@candidates.example>', [("carla@candidates.example", "C, Carla")]),
        ("carla@candidates.example (Carla)", [("carla@candidates.example", "Carla")]),
        ("=?utf-8?q?J=C3=B6rg?= <joerg@candidates.example>", [("joerg@candidates.example", "Jörg")]),
        ("team: a@b.test, C <c@d.test>; e@f.test", [("a@b.test", ""), ("c@d.test", "C"), ("e@f.test", "")]),
        ("<@relay.test,@other.test:carla@candidates.example>", [("carla@candidates.example", "")]),
        ('"two words"@candidates.example', [('"two words"@candidates.example', "")]),
        ("Forgot <a@b.test, C <c@d.test>", [("a@b.test", "Forgot"), ("c@d.test", "C")]),
        ("Plain Name a@b.test", [("a@b.test", "Plain Name")]),
        ("mailto:a@b.test", [("a@b.test", "")]),
        ("undisclosed-recipients:;", []),
        ("", []),
        ("no address here", []),
        ("a@b@c.test", []),
        ("<>", []),
    ],
)
def test_a_list_is_read_as_people_meant_it(text: str, expected: list[tuple[str, str]]) -> None:
    """Groups, comments, routes, quotes and forgotten brackets."""
    assert parse_address_list(text) == tuple(Address(address, name) for address, name in expected)


@pytest.mark.parametrize("breaker", ["\r\nBcc: x@evil.test", "\n", "\0", "\u2028", " ", "\x1b", "<", ","])
def test_no_address_can_carry_a_line_break_or_a_control_character(breaker: str) -> None:
    """Header injection (T13): such an address is none."""
    for address in parse_address_list(f"Eve <eve{breaker}@evil.test>"):
        assert breaker not in address.address
        assert address.address.isprintable()


def test_a_name_cannot_carry_an_encoded_line_break_or_a_bidi_override() -> None:
    """What an encoded word hides is cleaned after decoding."""
    found = parse_address("=?utf-8?q?Rita=0D=0ABcc=3A_x=40evil=2Etest_=E2=80=AE?= <eve@evil.test>")
    assert found == Address("eve@evil.test", "Rita Bcc: x@evil.test")


def test_a_list_ends_at_its_limit() -> None:
    """A header of 20,000 addresses yields as many as were asked for."""
    text = ", ".join(f"u{number}@many.test" for number in range(20_000))
    assert len(parse_address_list(text)) == 200
    assert len(parse_address_list(text, limit=3)) == 3


@pytest.mark.parametrize("piece", ['"', "<", "(", "\\", '"\\', "a@b,", ":", "@", "<a@b", '"a"@', "a <", "b."])
def test_hostile_lists_take_linear_time(piece: str) -> None:
    """Four times the input takes about four times as long; 50,000 quotes are nothing."""

    def seconds(count: int) -> float:
        text = piece * count
        start = time.process_time()
        parse_address_list(text)
        return time.process_time() - start

    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(80_000) for _ in range(3))
    assert large < 1.0
    assert large < 8 * small + 0.02


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Carla@Candidates.Example", "carla@candidates.example"),
        ("a.b+tag@gmail.com", "a.b+tag@gmail.com"),
        ("jörg@Bücher.example", "jörg@xn--bcher-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        (" a@b.test ", "a@b.test"),
    ],
)
def test_the_match_key_folds_case_and_idna_only(address: str, key: str) -> None:
    """R86, R87: dots and tags stay apart."""
    assert match_key(address) == key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("first.last+x@googlemail.com", "FirstLast@gmail.com", True),
        ("carla+jobs@candidates.example", "carla@candidates.example", True),
        ("first.last@candidates.example", "firstlast@candidates.example", False),
        ("+tag@candidates.example", "other@candidates.example", False),
    ],
)
def test_the_normalised_key_joins_variants_of_one_mailbox(one: str, other: str, same: bool) -> None:
    """For suggestions only."""
    assert (normalised_key(one) == normalised_key(other)) is same


@pytest.mark.parametrize(
    "address",
    ["a@b.test", "first.last+tag@sub.b.test", "o'neil@b.test", "a@bücher.example", '"a b"@b.test', "1@2.example"],
)
def test_addresses_that_may_be_mailed(address: str) -> None:
    """ASCII local part, full domain name, IDNA allowed."""
    assert is_valid(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.test",
        "a@b",
        "a..b@b.test",
        ".a@b.test",
        "a@b..test",
        "a@-b.test",
        "a@b.test.",
        "a b@b.test",
        "ä@b.test",
        "a@1.2.3.4",
        "a@[1.2.3.4]",
        f"{'a' * 65}@b.test",
        f"a@{'b' * 64}.test",
        f"a@{'b.' * 130}test",
        "a@b.test\r\n",
        "a@b\0.test",
        "a@b.test,c@d.test",
        "<a@b.test>",
    ],
)
def test_addresses_that_may_not_be_mailed(address: str) -> None:
    """What a CSV import refuses."""
    assert not is_valid(address)


def test_the_domain_is_ascii() -> None:
    """Domains compare in their DNS form."""
    assert domain_of("a@Bücher.example") == "xn--bcher-kva.example"
    assert domain_of("nothing") == ""


@given(st.text())
def test_no_text_makes_the_parser_raise(text: str) -> None:
    """Every function takes every text."""
    for address in parse_address_list(text):
        assert "@" in address.address
        assert " " not in address.address or address.address.startswith('"')
        assert "\n" not in address.address + address.name
    for function in (match_key, normalised_key, is_valid, domain_of):
        function(text)
