"""Who belongs to our company."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.internal_mail import House, house_of, is_free_mail


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "googlemail.com", "outlook.com", "outlook.de", "yahoo.co.uk", "hotmail.com.br", "gmx.net", "web.de"],
)
def test_a_mailbox_at_a_free_mail_provider_makes_no_company(domain: str) -> None:
    """Otherwise every candidate at Gmail were a colleague."""
    assert is_free_mail(domain)
    assert not house_of(frozenset({f"rita@{domain}"}), (domain,)).domains
    assert house_of(frozenset({f"rita@{domain}"}), ()).holds(f"rita@{domain}")


@pytest.mark.parametrize("domain", ["agency.test", "yahoo-recruiting.example", "live.agency.test", "notgmail.com"])
def test_other_domains_are_the_companys_own(domain: str) -> None:
    assert house_of(frozenset({f"rita@{domain}"}), ()).domains == {domain}


@pytest.mark.parametrize("typed", ["sister.example", " Sister.Example ", "@sister.example", "*.sister.example"])
def test_further_domains_as_people_type_them(typed: str) -> None:
    assert house_of(frozenset(), (typed,)).domains == {"sister.example"}


@pytest.mark.parametrize("typed", ["", "com", ".", "a b", "x@", "gmail.com", "\x00.example", "a" * 300 + ".example"])
def test_nonsense_is_no_domain(typed: str) -> None:
    """A word without a dot would make half the world a colleague."""
    assert not house_of(frozenset(), (typed,)).domains


@given(st.text(max_size=200))
def test_no_address_makes_it_stumble(text: str) -> None:
    """And nobody gets into the house by writing its name elsewhere."""
    house = House(frozenset({"agency.test"}))
    assert not house.holds(f"agency.test@{text}.example")
    assert house.holds(f"{text}@agency.test")
