"""Telephone numbers as people write them, and the one form in which they are texted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.phone import e164, is_country


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+46 70-174 06 05", None, "+46701740605"),
        (" +44 (0)20 7946 0103 ", None, "+442079460103"),
        ("tel:+1-202-555-0143", None, "+12025550143"),
        ("070-174 06 05", "SE", "+46701740605"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("0046 70 174 06 05", "GB", "+46701740605"),
        ("+46 70 174 06 05", "US", "+46701740605"),
        ("07700 900123", "GB", "+447700900123"),
        ("٠٧٠١٧٤٠٦٠٥", "SE", "+46701740605"),
    ],
)
def test_a_number_is_understood_however_it_is_written(written: str, country: str | None, number: str) -> None:
    """A country code of its own wins over the default."""
    assert e164(written, country) == number


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("070-174 06 05", None),
        ("", "SE"),
        ("+", "SE"),
        ("112", "SE"),
        ("call me", "SE"),
        ("maya: 070-174 06 05", "SE"),
        ("1-800-FLOWERS", "US"),
        ("+46 70 174 06 05 ext. 12", None),
        ("+46 70 174 06 05 06 07 08", None),
        ("+999 70 174 06 05", None),
        ("0" * 5_000, "SE"),
        ("+46 70 174 06 05\r\nTo: +4670", None),
    ],
)
def test_what_is_no_number_is_refused(written: str, country: str | None) -> None:
    """Better no text than one to somebody else."""
    assert e164(written, country) is None


@given(st.text(max_size=60), st.sampled_from([None, "SE", "US", "GB"]))
def test_whatever_comes_is_e164_or_nothing(written: str, country: str | None) -> None:
    """Never an exception, and once in form it stays."""
    number = e164(written, country)
    if number is not None:
        assert number[0] == "+"
        assert number[1:].isascii()
        assert number[1:].isdigit()
        assert e164(number, country) == number


def test_countries_are_known_by_two_capital_letters() -> None:
    assert is_country("SE")
    assert not is_country("se")
    assert not is_country("001")
