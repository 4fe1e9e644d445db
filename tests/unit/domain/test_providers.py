"""Providers are known by their servers' names, and what sync must respect there is written down."""

from __future__ import annotations

import pytest

from core.domain.providers import PROVIDERS, UndecidedPolicy, facts, is_gateway, provider_of_host, provider_of_mx


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("imap.gmail.com", "google"),
        ("SMTP.GoogleMail.com.", "google"),
        ("outlook.office365.com", "microsoft"),
        ("smtp-mail.outlook.com:587", "microsoft"),
        ("imap.mail.yahoo.com", "yahoo"),
        ("imap.aol.com", "aol"),
        ("p03-imap.mail.me.com", "icloud"),
        ("smtpout.secureserver.net", "godaddy"),
        ("imap.zoho.eu", "zoho"),
        ("imap.yandex.ru", "yandex"),
        ("imap.gmx.net", "gmx"),
        ("imap.ionos.de", "ionos"),
        ("zimbra.agency.test", "zimbra"),
        ("mail.agency.test", None),
        ("gmail.com.evil.example", None),
        ("notgmail.com", None),
        ("127.0.0.1", None),
        ("[::1]:993", None),
        ("", None),
    ],
)
def test_a_login_host_tells_the_provider(host: str, provider: str | None) -> None:
    """By the end of the name, label by label: a look-alike is nobody."""
    assert provider_of_host(host) == provider


@pytest.mark.parametrize(
    ("mx", "provider"),
    [
        (["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], "google"),
        (["agency-test.mail.protection.outlook.com"], "microsoft"),
        (["agency.mail.eo.outlook.com"], "microsoft"),
        (["agency-test.abc.mx.microsoft"], "microsoft"),
        (["mta5.am0.yahoodns.net"], "yahoo"),
        (["mx01.mail.icloud.com"], "icloud"),
        (["mailstore1.secureserver.net"], "godaddy"),
        (["mx.zoho.eu"], "zoho"),
        (["in1-smtp.messagingengine.com"], "fastmail"),
        (["mx1.agency.test"], None),
        ([], None),
    ],
)
def test_mx_hosts_tell_the_provider(mx: list[str], provider: str | None) -> None:
    """As DNS publishes them (R55)."""
    assert provider_of_mx(mx) == provider


def test_a_gateway_hides_the_provider() -> None:
    """Then SPF has to tell it."""
    assert provider_of_mx(["mx0a-00123.pphosted.com"]) is None
    assert is_gateway(["mx0a-00123.pphosted.com."])
    assert not is_gateway(["aspmx.l.google.com"])


def test_who_files_sent_copies_decides_how_an_undecided_send_is_settled() -> None:
    """Only where the server files the copy does its absence prove anything."""
    filing = {name for name, known in PROVIDERS.items() if known.files_sent_copies}
    assert filing == {"google", "microsoft"}
    assert facts("google").verify_policy is UndecidedPolicy.SENT_FOLDER
    assert facts(None).verify_policy is UndecidedPolicy.HOLD


def test_limits_of_sync_per_provider() -> None:
    """Gmail is polled no faster than each 10 minutes (R70, R215), Yahoo's link is renewed within its 5 minutes."""
    assert facts("google").poll_floor_s == 600
    assert facts("yahoo").idle_renew_s < 300
    assert facts("yahoo").max_connections == 3
    assert not facts("yahoo").condstore
    assert all(known.idle_renew_s <= 29 * 60 for known in PROVIDERS.values())
    assert "To and From" in facts("godaddy").warning
