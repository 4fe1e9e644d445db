"""Which addresses may be written to, which wait for a person, and which are refused (R111, R117, R198)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.address_verdict import DomainMail, Verdict, is_disposable, judge, suggestion


def seen(address: str, domain: DomainMail = DomainMail.MX, **facts: bool) -> tuple[str, str]:
    found = judge(address, domain, **facts)
    return found.verdict.value, found.code


@pytest.mark.parametrize(
    "address",
    [
        "carla@candidates.example",
        "omar@agency.test",
        "o'brien+jobs@studio.dev",
        "me@janedoe.com",
        "hello@freelancer.io",
        "infosec.jane@corp.com",
        "anna@müller.de",
        "x@gmail.com",
        "x@yahoo.co.uk",
        "x@outlook.fr",
        "x@cloud.com",
        "x@mail.com",
        "x@gmx.de",
        "x@protonmail.ch",
    ],
)
def test_an_ordinary_address_whose_domain_takes_mail_is_valid(address: str) -> None:
    """Also the sandbox's: names in .test and .example exist where DNS says so."""
    assert seen(address) == ("valid", "ok")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "carla",
        "carla@",
        "carla@@candidates.example",
        "carla candidates@x.example",
        "carla@localhost",
        "carla@x..example",
        "carla.@x.example",
        "carla@-x.example",
        "Carla <carla@x.example>",
        "carla@x.example\r\nBcc: victim@y.example",
        "carla@x.example ",
        "carla\u202e@x.example",
        "müller@x.example",
        '"carla lind"@x.example',
        "carla@[192.0.2.1]",
        "carla@192.0.2.1",
        "c" * 65 + "@x.example",
        "carla@" + "x" * 64 + ".example",
        "a" * 1_000_000,
        "@" * 1_000_000,
    ],
)
def test_what_no_mail_can_go_to_is_invalid(address: str) -> None:
    found = judge(address, DomainMail.MX)
    assert (found.verdict, found.code) == (Verdict.INVALID, "syntax")
    assert found.text
    assert found.fix


@pytest.mark.parametrize("ending", ["invalid", "local", "localhost", "onion", "arpa"])
def test_a_name_reserved_for_no_mail_is_invalid_whatever_dns_says(ending: str) -> None:
    assert seen(f"carla@x.{ending}") == ("invalid", "reserved")


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        (DomainMail.NONE, "no_mail_server"),
        (DomainMail.NULL_MX, "null_mx"),
        (DomainMail.REJECT_ALL, "reject_all_spf"),
    ],
)
@pytest.mark.parametrize("address", ["carla@candidates.example", "carla@agency.test", "info@studio.dev"])
def test_a_domain_that_takes_no_mail_makes_the_address_invalid(address: str, domain: DomainMail, code: str) -> None:
    """Also a reserved test name, and before anything is only risky."""
    assert seen(address, domain) == ("invalid", code)


@pytest.mark.parametrize("address", ["carla@candidates.example", "carla@agency.test", "carla@studio.dev"])
def test_dns_trouble_is_unknown_and_never_more(address: str) -> None:
    assert seen(address, DomainMail.UNKNOWN) == ("unknown", "dns_unknown")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("info@studio.dev", "role"),
        ("Jobs@studio.dev", "role"),
        ("hr+berlin@studio.dev", "role"),
        ("noreply@studio.dev", "no_reply"),
        ("no-reply@studio.dev", "no_reply"),
        ("carla@mailinator.com", "disposable"),
        ("carla@inbox.yopmail.com", "disposable"),
        ("carla@gmial.com", "misspelt"),
    ],
)
@pytest.mark.parametrize("domain", [DomainMail.MX, DomainMail.UNKNOWN])
def test_a_risky_address_waits_for_a_person(address: str, code: str, domain: DomainMail) -> None:
    """Whether or not DNS has answered yet: nothing that it says makes it less risky."""
    assert seen(address, domain) == ("risky", code)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("jane@gmial.com", "jane@gmail.com"),
        ("Jane.D@GMIAL.com", "Jane.D@gmail.com"),
        ("jane@gmail.con", "jane@gmail.com"),
        ("jane@gmail.co", "jane@gmail.com"),
        ("jane@gmial.con", "jane@gmail.com"),
        ("jane@gmail", "jane@gmail.com"),
        ("jane@gmailcom", "jane@gmail.com"),
        ("jane@gmial.co.uk", "jane@gmail.com"),
        ("jane@hotmial.co.uk", "jane@hotmail.co.uk"),
        ("jane@yaho.fr", "jane@yahoo.fr"),
        ("jane@outlok.com", "jane@outlook.com"),
        ("jane@iclod.com", "jane@icloud.com"),
        ("jane@gmail.com", ""),
        ("jane@hotmail.co.uk", ""),
        ("jane@googlemail.com", ""),
        ("jane@cloud.com", ""),
        ("jane@email.com", ""),
        ("jane@mail.com", ""),
        ("jane@gmail.agency.test", ""),
        ("jane@yahoo.net", ""),
        ("gmial.com", ""),
        ("", ""),
    ],
)
def test_a_misspelt_free_mailbox_is_told_with_the_right_spelling(written: str, meant: str) -> None:
    assert suggestion(written) == meant


def test_a_misspelt_domain_without_mail_is_invalid_and_still_tells_the_right_spelling() -> None:
    found = judge("jane@gmial.com", DomainMail.NONE)
    assert (found.verdict, found.code, found.suggestion) == (Verdict.INVALID, "misspelt", "jane@gmail.com")
    assert "jane@gmail.com" in found.fix
    assert judge("jane@gmail", DomainMail.UNKNOWN).suggestion == "jane@gmail.com"


def test_the_do_not_contact_list_stands_before_everything() -> None:
    """So that a retry that passes by validation can tell it from the rest (R143)."""
    for address in ("carla@candidates.example", "info@mailinator.com", "nonsense"):
        for domain in DomainMail:
            assert seen(address, domain, suppressed=True, recently_bounced=True) == ("invalid", "suppressed")


def test_an_address_whose_mail_came_back_lately_is_risky() -> None:
    assert seen("carla@candidates.example", recently_bounced=True) == ("risky", "bounced")
    assert seen("carla@candidates.example", DomainMail.UNKNOWN, recently_bounced=True) == ("risky", "bounced")
    assert seen("carla@candidates.example", DomainMail.NULL_MX, recently_bounced=True) == ("invalid", "null_mx")


def test_disposable_domains_are_known_with_what_is_below_them() -> None:
    assert is_disposable("mailinator.com")
    assert is_disposable("a.b.MAILINATOR.com")
    assert not is_disposable("my-mailinator.example")
    assert not is_disposable("com")
    assert not is_disposable("")
    assert not is_disposable("." * 1_000_000)


def test_judging_touches_no_network_and_start_up_loads_no_list() -> None:
    """A fresh interpreter: the module itself brings in neither list nor validator, and judging brings in no DNS."""
    program = (
        "import sys, socket\n"
        "import core.domain.address_verdict as rules\n"
        "assert not {'email_validator', 'disposable_email_domains'} & set(sys.modules)\n"
        "socket.socket = None\n"
        "rules.judge('carla@candidates.example', rules.DomainMail.MX)\n"
        "assert 'email_validator' in sys.modules and 'dns' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@given(st.text(max_size=400), st.sampled_from(list(DomainMail)), st.booleans(), st.booleans())
def test_nothing_that_people_import_breaks_it(address: str, domain: DomainMail, gone: bool, bounced: bool) -> None:
    found = judge(address, domain, suppressed=gone, recently_bounced=bounced)
    assert found.code
    assert (found.verdict is Verdict.VALID) == (not found.text)


@given(st.from_regex(r"[a-z]{1,10}@[a-z]{1,10}\.(com|test|example)", fullmatch=True))
def test_dns_trouble_never_blocks_what_dns_would_let_pass(address: str) -> None:
    known, trouble = judge(address, DomainMail.MX), judge(address, DomainMail.UNKNOWN)
    assert (known.verdict is Verdict.VALID) == (trouble.verdict is Verdict.UNKNOWN)
    assert trouble.verdict is not Verdict.INVALID
