"""Every rule about a domain's records, on a DNS that is a table."""

from __future__ import annotations

import base64
import time
from unicodedata import category

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from core.domain.dns_checks import DomainReport, Facts, Finding, Kind, Question, domain_name, judge, selector_name

D = "agency.example"
SILENT = None

Zone = dict[tuple[str, str], list[str] | None]


def _key(bits: int) -> str:
    public = rsa.generate_private_key(65537, bits).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode("ascii")


KEY_2048, KEY_1024 = _key(2048), _key(1024)
# A key that no library makes any more: 512 bits, in the bare form of RFC 8017 A.1.1.
KEY_512 = base64.b64encode(bytes.fromhex("3048024100") + b"\xc3" + b"\x11" * 63 + bytes.fromhex("0203010001")).decode(
    "ascii"
)

GOOD: Zone = {
    ("MX", D): [f"10 mail.{D}"],
    ("ADDRESS", f"mail.{D}"): ["192.0.2.1"],
    ("TXT", D): ["v=spf1 mx -all"],
    ("TXT", f"_dmarc.{D}"): [f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{D}"],
    ("TXT", f"default._domainkey.{D}"): [f"v=DKIM1; k=rsa; p={KEY_2048}"],
    ("MX", "google.example"): ["1 aspmx.l.google.com"],
    ("ADDRESS", "aspmx.l.google.com"): ["192.0.2.2"],
    ("TXT", "_spf.google.com"): ["v=spf1 ip4:192.0.2.0/24 ~all"],
    ("TXT", "spf.protection.outlook.com"): ["v=spf1 ip4:198.51.100.0/24 -all"],
}


def check(zone: Zone, domain: str = D, selectors: tuple[str, ...] = (), connected: str | None = None) -> DomainReport:
    """As the service does it: ask what is wanted until nothing is."""
    facts: dict[Question, tuple[str, ...] | None] = {}
    for _ in range(60):
        report, wanted = judge(domain, facts, selectors=selectors, connected=connected)
        if not wanted:
            return report
        for question in wanted:
            found = zone.get((question.kind.value, question.name), [])
            facts[question] = None if found is None else tuple(found)
    raise AssertionError("the rules never have enough")


def finding(name: str, zone: Zone, **options: object) -> Finding:
    report = check(GOOD | zone, **options)  # type: ignore[arg-type]
    return next(one for one in report.findings if one.name == name)


def spf(record: str, more: Zone | None = None) -> Finding:
    return finding("spf", {("TXT", D): [record]} | (more or {}))


def dmarc(record: str) -> Finding:
    return finding("dmarc", {("TXT", f"_dmarc.{D}"): [record]})


def dkim(record: str) -> Finding:
    return finding("dkim", {("TXT", f"s7._domainkey.{D}"): [record]}, selectors=("s7",))


def test_a_domain_set_up_right_is_all_ok() -> None:
    report = check(GOOD)
    assert [(one.name, one.verdict.value, one.fix) for one in report.findings] == [
        ("mx", "ok", ""), ("spf", "ok", ""), ("dmarc", "ok", ""), ("dkim", "ok", ""),
    ]  # fmt: skip
    assert report.verdict.value == "ok"
    assert report.findings[1].record == "v=spf1 mx -all"


def test_an_empty_dns_says_missing_and_what_to_publish() -> None:
    mx, found_spf, found_dmarc, found_dkim = check({}).findings
    assert (mx.verdict, found_spf.verdict, found_dmarc.verdict) == ("fail", "fail", "fail")
    assert found_spf.fix.endswith(f"at {D}: v=spf1 mx ~all")
    assert found_dmarc.fix.endswith(f"_dmarc.{D}: v=DMARC1; p=none; rua=mailto:dmarc@{D}")
    # Selectors cannot be listed, so that none at the usual names proves nothing.
    assert found_dkim.verdict == "unknown"
    assert found_dkim.record is None


@pytest.mark.parametrize("missing", [("MX", D), ("TXT", D), ("TXT", f"_dmarc.{D}"), ("ADDRESS", f"mail.{D}")])
def test_a_dns_in_trouble_is_unknown_and_never_missing(missing: tuple[str, str]) -> None:
    report = check(GOOD | {missing: SILENT})
    assert report.verdict == "unknown"
    assert not any(one.verdict == "fail" for one in report.findings)


def test_a_dns_that_answers_nothing_is_unknown_throughout() -> None:
    facts: Facts = dict.fromkeys(judge(D, {})[1])
    assert {one.verdict.value for one in judge(D, facts)[0].findings} == {"unknown"}


@pytest.mark.parametrize(
    ("zone", "verdict", "word"),
    [
        ({("MX", D): ["0 "]}, "fail", "null MX"),
        ({("MX", D): []}, "fail", "no MX record"),
        ({("MX", D): [], ("ADDRESS", D): ["192.0.2.9"]}, "warn", "host of the domain itself"),
        ({("MX", D): [], ("ADDRESS", D): SILENT}, "unknown", "did not tell"),
        ({("MX", D): ["10 gone.example"]}, "fail", "has an address"),
        ({("MX", D): [f"10 mail.{D}", "20 gone.example"]}, "warn", "gone.example"),
        ({("MX", D): ["10 192.0.2.1"]}, "fail", "has an address"),
        ({("MX", D): ["0 ", f"10 mail.{D}"]}, "warn", "must be alone"),
        ({("MX", D): ["0 smtp.secureserver.net"], ("ADDRESS", "smtp.secureserver.net"): ["192.0.2.3"]}, "warn", "GoD"),
        ({("MX", D): ["5 mx1.pphosted.com"], ("ADDRESS", "mx1.pphosted.com"): ["192.0.2.3"]}, "ok", "filter service"),
    ],
)  # fmt: skip
def test_mx(zone: Zone, verdict: str, word: str) -> None:
    found = finding("mx", zone)
    assert found.verdict == verdict
    assert word in found.detail


def test_spf_tells_the_provider_behind_a_gateway() -> None:
    """R56."""
    gateway: Zone = {("MX", D): ["5 mx1.pphosted.com"], ("TXT", D): ["v=spf1 include:_spf.google.com ~all"]}
    assert check(GOOD | gateway).provider == "google"


def test_a_mailbox_connected_elsewhere_than_its_mail_goes_is_told() -> None:
    """R54."""
    zone: Zone = {("MX", D): ["1 aspmx.l.google.com"]}
    found = finding("mx", zone, connected="microsoft")
    assert found.verdict == "warn"
    assert "connected at Microsoft" in found.detail
    assert finding("mx", zone, connected="google").verdict == "ok"
    assert finding("mx", zone, connected="other").verdict == "ok"


@pytest.mark.parametrize(
    ("record", "verdict", "word"),
    [
        ("V=SPF1 mx ~ALL", "ok", "right"),
        (" v=spf1 mx -all", "fail", "looks like SPF"),
        ("v=spf10 mx -all", "fail", "looks like SPF"),
        ("v=spf1 mx +all", "fail", "+all"),
        ("v=spf1 mx all", "fail", "+all"),
        ("v=spf1 mx ?all", "warn", "?all"),
        ("v=spf1 mx", "warn", "no “all”"),
        ("v=spf1 mx ptr -all", "warn", "ptr"),
        ("v=spf1 -all a", "warn", "behind"),
        ("v=spf1 -all", "fail", "nobody"),
        ("v=spf1 mx ip4:300.1.1.1 -all", "fail", "ip4:300.1.1.1"),
        ("v=spf1 mx ip6:2001:db8::/32 ip4:192.0.2.0/24 -all", "ok", "right"),
        ("v=spf1 mx/24//64 a:mail.agency.example/28 -all", "ok", "right"),
        ("v=spf1 mx include: -all", "fail", "include:"),
        ("v=spf1 mx ipv4:192.0.2.1 -all", "fail", "ipv4"),
        ("v=spf1 mx exp=why.agency.example unknown=thing -all", "ok", "right"),
        ("v=spf1 exists:%{l1r+-/}.%{d}._spf.agency.example -all", "ok", "right"),
        ("v=spf1 mx all:agency.example -all", "fail", "all:agency.example"),
        ("v=spf1 exists:%{i}._spf.agency.example -all", "ok", "right"),
        ("v=spf1 mx include:gone.example -all", "fail", "no SPF record"),
        ("v=spf1 mx include:agency.example -all", "fail", "circle"),
        ("v=spf1 redirect=gone.example", "fail", "no SPF record"),
        ("v=spf1 mx " + "ip4:192.0.2.1 " * 40 + "-all", "warn", "longer"),
        ("v=spf1 a:x1.example a:x2.example mx -all", "ok", "right"),
        ("v=spf1 a:x1.example a:x2.example mx:x3.example -all", "fail", "lead nowhere"),
    ],
)  # fmt: skip
def test_spf(record: str, verdict: str, word: str) -> None:
    found = spf(record)
    assert (found.verdict, word in found.detail) == (verdict, True), found


def test_several_spf_records_are_merged_into_the_one_to_publish() -> None:
    found = finding("spf", {("TXT", D): ["v=spf1 mx -all", "v=spf1 a ~all", "unrelated"]})
    assert found.verdict == "fail"
    assert found.fix.endswith(": v=spf1 mx a ~all")


def test_a_repair_keeps_what_was_right() -> None:
    assert spf("v=spf1 ip4:192.0.2.7 ptr +all").fix.endswith(": v=spf1 ip4:192.0.2.7 ~all")
    assert spf("v=spf1 a mx").fix.endswith(": v=spf1 a mx ~all")


def test_lookups_are_counted_through_includes() -> None:
    """RFC 7208 4.6.4: ten are allowed, over all levels."""
    chain: Zone = {("TXT", f"n{n}.example"): [f"v=spf1 include:n{n + 1}.example -all"] for n in range(1, 10)}
    chain[("TXT", "n10.example")] = ["v=spf1 ip4:192.0.2.1 -all"]
    assert spf("v=spf1 include:n1.example -all", chain).verdict == "ok"
    found = spf("v=spf1 mx include:n1.example -all", chain)
    assert found.verdict == "fail"
    assert "needs 11 look-ups" in found.detail
    assert "mx 1, include:n1.example 10" in found.detail


def test_redirect_is_followed_only_without_all() -> None:
    target: Zone = {("TXT", "r.example"): ["v=spf1 mx -all"], ("MX", "r.example"): ["1 mail.agency.example"]}
    assert spf("v=spf1 redirect=r.example", target).verdict == "ok"
    assert spf("v=spf1 redirect=gone.example mx -all").verdict == "ok"


def test_an_included_record_may_not_let_everybody_in() -> None:
    found = spf("v=spf1 include:open.example -all", {("TXT", "open.example"): ["v=spf1 +all"]})
    assert found.verdict == "fail"
    assert "whole world" in found.detail


def test_an_include_that_dns_does_not_answer_for_is_unknown() -> None:
    found = spf("v=spf1 mx include:slow.example -all", {("TXT", "slow.example"): SILENT})
    assert found.verdict == "unknown"
    assert "slow.example" in found.detail


@pytest.mark.parametrize(
    ("record", "verdict", "published"),
    [
        ("v=spf1 include:_spf.google.com ~all", "ok", ""),
        ("v=spf1 include:spf.protection.outlook.com -all", "fail", "v=spf1 include:_spf.google.com -all"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "warn", "v=spf1 include:_spf.google.com ip4:192.0.2.0/24 -all"),
        ("v=spf1 include:_spf.google.com include:spf.protection.outlook.com ~all", "warn", ""),
        ("v=spf1 -all", "fail", "v=spf1 include:_spf.google.com ~all"),
    ],
)
def test_spf_must_name_the_provider_that_takes_the_mail(record: str, verdict: str, published: str) -> None:
    """R57: a Google user must not have Outlook in SPF."""
    found = finding("spf", {("TXT", "google.example"): [record]}, domain="google.example")
    assert found.verdict == verdict, found
    assert (found.fix.rpartition(": ")[2] if published else "") == published


def test_a_missing_record_is_suggested_for_the_provider() -> None:
    found = finding("spf", {}, domain="google.example")
    assert found.fix.endswith("google.example: v=spf1 include:_spf.google.com ~all")


@pytest.mark.parametrize(
    ("record", "verdict", "word"),
    [
        (f"v=DMARC1; p=none; rua=mailto:a@{D}", "ok", "counted"),
        (f"v = DMARC1;p=reject;rua=mailto:a@sub.{D}", "ok", "refused"),
        ("v=DMARC1; p=reject", "warn", "rua="),
        (f"v=DMARC1; rua=mailto:a@{D}", "warn", "no policy"),
        (f"v=DMARC1; p=quarantin; rua=mailto:a@{D}", "warn", "none of none"),
        (f"v=DMARC1; p=none; sp=maybe; rua=mailto:a@{D}", "warn", "sp="),
        (f"v=DMARC1; p=none; np=maybe; rua=mailto:a@{D}", "warn", "np="),
        (f"v=DMARC1; p=reject; pct=20; rua=mailto:a@{D}", "warn", "obsolete"),
        (f"v=DMARC1; p=reject; pct=100; rua=mailto:a@{D}", "ok", "no harm"),
        ("v=DMARC1; p=none; rua=dmarc@agency.example", "warn", "not mailto"),
        ("v=DMARC1; p=none; rua=mailto:x@reports.example", "warn", "does not accept"),
        ("v=spf1 mx -all", "fail", "SPF record stands"),
        ("v=dmarc1; p=none", "fail", "does not begin"),
        ("p=none; v=DMARC1", "fail", "no effect"),
        ("something else", "fail", "no DMARC record"),
    ],
)
def test_dmarc(record: str, verdict: str, word: str) -> None:
    found = dmarc(record)
    assert (found.verdict, word in found.detail) == (verdict, True), found


def test_reports_to_another_domain_are_right_where_it_consents() -> None:
    zone: Zone = {
        ("TXT", f"_dmarc.{D}"): ["v=DMARC1; p=none; rua=mailto:x@reports.example!10m"],
        ("TXT", f"{D}._report._dmarc.reports.example"): ["v=DMARC1"],
    }
    assert finding("dmarc", zone).verdict == "ok"


def test_several_dmarc_records_count_as_none() -> None:
    found = finding("dmarc", {("TXT", f"_dmarc.{D}"): ["v=DMARC1; p=none", "v=DMARC1; p=reject"]})
    assert found.verdict == "fail"
    assert "several" in found.detail


def test_a_dmarc_record_at_the_root_has_no_effect() -> None:
    zone: Zone = {("TXT", f"_dmarc.{D}"): [], ("TXT", D): ["v=spf1 mx -all", "v=DMARC1; p=none"]}
    assert "itself" in finding("dmarc", zone).detail


def test_a_subdomain_inherits_from_the_topmost_record() -> None:
    """RFC 9989 4.10: the walk goes up; sp= is for subdomains."""
    zone: Zone = {("TXT", f"_dmarc.{D}"): [f"v=DMARC1; p=reject; sp=none; rua=mailto:a@{D}"]}
    found = finding("dmarc", zone, domain=f"jobs.{D}")
    assert found.verdict == "ok"
    assert "p=none" in found.detail
    assert f"that of {D}" in found.detail


def test_a_public_suffix_s_record_stands_behind_the_organisation_s() -> None:
    own = f"v=DMARC1; p=none; rua=mailto:a@{D}"
    zone: Zone = {("TXT", f"_dmarc.{D}"): [own], ("TXT", "_dmarc.example"): ["v=DMARC1; p=reject; psd=y"]}
    assert finding("dmarc", zone, domain=f"jobs.{D}").record == own


def test_the_walk_up_is_short_however_long_the_name() -> None:
    asked: set[str] = set()
    facts: dict[Question, tuple[str, ...] | None] = {}
    while wanted := judge(".".join("abcdefghijklmnop") + ".example", facts)[1]:
        asked |= {one.name for one in wanted if one.name.startswith("_dmarc.")}
        facts |= dict.fromkeys(wanted, ())
    assert len(asked) == 8
    assert "_dmarc.k.l.m.n.o.p.example" in asked


@pytest.mark.parametrize(
    ("record", "verdict", "word"),
    [
        (f"v=DKIM1; k=rsa; p={KEY_2048}", "ok", "2048"),
        (f"p={KEY_2048[:60]} {KEY_2048[60:]}", "ok", "2048"),
        (f"v=DKIM1; k=rsa; p={KEY_1024}", "warn", "1024"),
        (f"v=DKIM1; p={KEY_512}", "fail", "512 bits"),
        ("v=DKIM1; p=", "fail", "revoked"),
        (f"v=DKIM1; t=y:s; p={KEY_2048}", "warn", "test mode"),
        (f"v=DKIM1; s=other; p={KEY_2048}", "fail", "not meant for mail"),
        (f"v=DKIM1; k=rsa; p={KEY_2048[:40]}", "fail", "no RSA key"),
        ("v=DKIM1; p=§§§", "fail", "base64"),
        (f"v=DKIM1; k=ed25519; p={base64.b64encode(bytes(32)).decode()}", "ok", "Ed25519"),
        ("v=DKIM1; k=ed25519; p=AAAA", "fail", "damaged"),
        (f"v=DKIM1; k=dsa; p={KEY_2048}", "fail", "do not know"),
        ("v=spf1 -all", "fail", "no DKIM key"),
    ],
)
def test_dkim(record: str, verdict: str, word: str) -> None:
    found = dkim(record)
    assert (found.verdict, word in found.detail) == (verdict, True), found


def test_a_selector_that_was_given_must_be_there() -> None:
    assert finding("dkim", {}, selectors=("s7",)).verdict == "fail"
    assert finding("dkim", {("TXT", f"s7._domainkey.{D}"): SILENT}, selectors=("s7",)).verdict == "unknown"


def test_google_without_its_selector_is_a_warning() -> None:
    found = finding("dkim", {}, domain="google.example")
    assert found.verdict == "warn"
    assert "google._domainkey.google.example" in found.detail


def test_two_keys_at_one_selector_are_told() -> None:
    both = [f"v=DKIM1; p={KEY_2048}", f"v=DKIM1; p={KEY_1024}"]
    found = finding("dkim", {("TXT", f"s7._domainkey.{D}"): both}, selectors=("s7",))
    assert found.verdict == "warn"


def test_a_trap_of_includes_costs_little() -> None:
    """Each record includes itself's siblings many times over: the walk ends by count, quickly."""
    names = [f"t{n}.example" for n in range(60)]
    record = "v=spf1 " + " ".join(f"include:{name}" for name in names) + " -all"
    trap: Zone = {("TXT", name): [record] for name in names}
    begun = time.process_time()
    found = spf(record, trap)
    assert found.verdict == "fail"
    assert "look-ups" in found.detail
    assert time.process_time() - begun < 2


def test_a_hostile_record_is_shown_as_one_bounded_line() -> None:
    found = spf("v=spf1 mx \x1b[31m\u202e\n" + "x" * 200_000)
    assert found.record is not None
    assert len(found.record) <= 1_000
    assert found.record.isprintable()
    assert found.detail.isprintable()
    assert len(found.detail) < 2_000


_TEXT = st.one_of(
    st.text(max_size=200),
    st.builds(lambda words: "v=spf1 " + " ".join(words), st.lists(st.sampled_from(
        ["mx", "a", "ptr", "include:a.example", "include:" + D, "redirect=a.example", "+all", "-all", "ip4:1", "//",
         "a:%{d}", "exists:", "=", ":", "all:", "mx/999", "a\x00"]), max_size=12)),
    st.text(alphabet="v=DMARC1;prua :mailto@.,!%{}sq", max_size=120).map("v=DMARC1;".__add__),
    st.text(alphabet="pkst=;:rsa AEI/+", max_size=120).map("v=DKIM1;".__add__),
)  # fmt: skip


@given(st.lists(_TEXT, max_size=4), st.lists(_TEXT, max_size=3))
def test_no_text_breaks_the_rules(texts: list[str], hosts: list[str]) -> None:
    """Whatever stands in DNS, each check says something, in one line."""
    zone: Zone = {(kind, name): list(texts) for kind in ("TXT", "ADDRESS") for name in (D, f"_dmarc.{D}", "a.example")}
    zone |= {("TXT", f"s7._domainkey.{D}"): list(texts), ("MX", D): [f"10 {host}" for host in hosts]}
    for one in check(zone, selectors=("s7",)).findings:
        assert one.detail
        assert not {category(character) for character in one.detail} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert one.fix == one.fix.strip()


@given(st.text(max_size=80))
def test_any_text_is_a_domain_or_is_not(text: str) -> None:
    name = domain_name(text)
    assert name is None or (name.isascii() and len(name) <= 253 and "." in name)
    selector_name(text)


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("Agency.Example.", "agency.example"),
        ("rita@agency.example", "agency.example"),
        ("büro.example", "xn--bro-hoa.example"),
        ("localhost", None),
        ("192.0.2.1", None),
        ("a b.example", None),
        ("x" * 400 + ".example", None),
        ("", None),
    ],
)
def test_what_people_type_becomes_a_domain(typed: str, domain: str | None) -> None:
    assert domain_name(typed) == domain


def test_what_is_wanted_is_said_by_kind_and_name() -> None:
    wanted = judge(D, {})[1]
    assert wanted[0] == Question(Kind.MX, D)
    assert len(wanted) == len(set(wanted)) < 30
