"""Settings from the environment: all mistakes at once, each with its name and what to do, no secret among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import parse

GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-1-canary",
    "SLACK_APP_TOKEN": "xapp-1-canary",
    "RETHREAD_SECRET_KEYS": "a key of thirty-two characters or more, another key of thirty-two characters!",
}


def mistakes(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse({**GOOD, **changes})
    return refused.value.mistakes


def test_the_least_that_is_needed() -> None:
    """Everything else has its default."""
    settings = parse(GOOD)
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 3000, "http://127.0.0.1:3000")
    assert (settings.dispatcher, settings.role, settings.is_sqlite) == ("local", "all", True)
    assert settings.sqlite_path == Path("rethread.db")
    assert len(settings.secret_keys) == 2
    assert settings.slack_api_url == "https://slack.com/api/"


def test_sign_in_is_at_the_real_services_unless_told_otherwise() -> None:
    """Overrides are for tests and national clouds."""
    settings = parse(GOOD)
    assert not settings.google.configured
    assert (settings.google.base, settings.microsoft.tenant, settings.microsoft.imap) == ("", "common", None)
    told = parse(
        {
            **GOOD,
            "GOOGLE_CLIENT_ID": "an-id",
            "GOOGLE_CLIENT_SECRET": "canary",
            "GOOGLE_OAUTH_BASE": "https://127.0.0.1:8443/google/",
            "RETHREAD_GOOGLE_IMAP": "127.0.0.1:1993",
            "RETHREAD_MICROSOFT_SMTP": "[::1]:1587",
        }
    )
    assert told.google.configured
    assert told.google.base == "https://127.0.0.1:8443/google"
    assert (told.google.imap, told.microsoft.smtp) == (("127.0.0.1", 1993), ("::1", 1587))
    assert "canary" not in repr(told)


TWILIO = {"TWILIO_ACCOUNT_SID": f"AC{'0a' * 16}", "TWILIO_AUTH_TOKEN": "canary", "TWILIO_FROM": "+12025550143"}


def test_text_messages_are_off_until_all_three_are_given() -> None:
    """The address is Twilio's own unless told otherwise."""
    assert not parse(GOOD).twilio.configured
    settings = parse({**GOOD, **TWILIO, "RETHREAD_PHONE_COUNTRY": "se"})
    assert settings.twilio.configured
    assert (settings.twilio.url, settings.phone_country) == ("https://api.twilio.com", "SE")
    assert "canary" not in repr(settings)
    service = f"MG{'0b' * 16}"
    told = parse({**GOOD, **TWILIO, "TWILIO_FROM": service, "TWILIO_API_URL": "http://127.0.0.1:8080/"}).twilio
    assert (told.sender, told.url) == (service, "http://127.0.0.1:8080")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TWILIO_ACCOUNT_SID", f"SK{'0a' * 16}", "AC and 32 characters"),
        ("TWILIO_AUTH_TOKEN", "canary canary", "holds a space"),
        ("TWILIO_FROM", "Rethread", "messaging service's id"),
        ("TWILIO_FROM", "0701740605", "messaging service's id"),
    ],
)
def test_a_wrong_part_of_the_text_message_account_is_named(name: str, value: str, words: str) -> None:
    """And the token is not told."""
    (mistake,) = mistakes(**{**TWILIO, name: value})
    assert words in mistake
    assert name in mistake
    assert "canary" not in mistake


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-1", "does not begin with xoxb-"),
        ("SLACK_APP_TOKEN", "xoxb-1", "does not begin with xapp-"),
        ("SLACK_API_URL", "slack.com", "set it to an address"),
        ("SLACK_API_URL", "http://[::1", "set it to an address"),
        ("SLACK_API_URL", "https://x:99999/", "set it to an address"),
        ("SLACK_CLIENT_ID", "1.2", "SLACK_CLIENT_SECRET is missing"),
        ("GOOGLE_CLIENT_SECRET", "canary", "GOOGLE_CLIENT_ID is missing"),
        ("MICROSOFT_CLIENT_ID", "x", "MICROSOFT_CLIENT_SECRET is missing"),
        ("MICROSOFT_TENANT", "../common", "the directory's id or domain"),
        ("MICROSOFT_AUTHORITY", "http://127.0.0.1:1/common", "https address"),
        ("GOOGLE_OAUTH_BASE", "https://", "https address"),
        ("GOOGLE_OAUTH_BASE", "https://a.example/?x=1", "https address"),
        ("RETHREAD_GOOGLE_IMAP", "imap.gmail.test", "HOST:PORT"),
        ("RETHREAD_GOOGLE_SMTP", "smtp.gmail.test:0", "HOST:PORT"),
        ("RETHREAD_MICROSOFT_IMAP", "a b:993", "HOST:PORT"),
        ("RETHREAD_MICROSOFT_SMTP", "host:99999", "HOST:PORT"),
        ("TWILIO_ACCOUNT_SID", "AC" + "0" * 32, "TWILIO_AUTH_TOKEN and TWILIO_FROM missing"),
        ("TWILIO_FROM", "+12025550143", "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN missing"),
        ("TWILIO_API_URL", "http://api.twilio.test", "https address"),
        ("TWILIO_API_URL", "https://a.example/?x=1", "https address"),
        ("TWILIO_API_URL", "twilio", "set it to an address"),
        ("RETHREAD_PHONE_COUNTRY", "Sweden", "two letters"),
        ("RETHREAD_PHONE_COUNTRY", "XX", "two letters"),
        ("DATABASE_URL", "mysql://canary@h/db", "begins with 'mysql'"),
        ("DATABASE_URL", "sqlite:///x.db", "begins with 'sqlite'"),
        ("RETHREAD_DISPATCHER", "celery", "set it to one of local, procrastinate, sql"),
        ("RETHREAD_DISPATCHER", "sql", "needs PostgreSQL"),
        ("RETHREAD_SECRET_KEYS", "canary", "has 6 characters"),
        ("RETHREAD_SECRET_KEYS", " , ", "is missing"),
        ("RETHREAD_PORT", "http", "port number"),
        ("RETHREAD_PORT", "70000", "port number"),
        ("RETHREAD_PORT", "²", "port number"),
        ("RETHREAD_PUBLIC_URL", "rethread.agency.test", "set it to an address"),
        ("RETHREAD_CA_FILE", "/no/such/file", "is no file"),
        ("RETHREAD_DNS", "resolver", "host:port"),
        ("RETHREAD_ALLOW_PRIVATE_MAIL_HOSTS", "maybe", "set it to 1"),
        ("RETHREAD_ADMINS", "U0ADA, ada", "holds 'ada'"),
        ("RETHREAD_ROLE", "web", "set it to one of all, bot, engine"),
        ("RETHREAD_ROLE", "engine", "SQLite admits one process"),
    ],
)
def test_a_mistake_names_its_variable_and_the_fix(name: str, value: str, words: str) -> None:
    """One mistake, one sentence."""
    (mistake,) = mistakes(**{name: value})
    assert words in mistake
    assert name.rsplit("_", 1)[0] in mistake
    assert "canary" not in mistake


def test_all_mistakes_are_told_together() -> None:
    """Nobody starts the program five times to learn five things."""
    with pytest.raises(SettingsError) as refused:
        parse({"RETHREAD_PORT": "x", "DATABASE_URL": "y", "RETHREAD_ROLE": "z"})
    named = "\n".join(refused.value.mistakes)
    for name in (
        "RETHREAD_PORT",
        "DATABASE_URL",
        "RETHREAD_ROLE",
        "RETHREAD_SECRET_KEYS",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
    ):
        assert name in named
    assert str(refused.value) == named


def test_commands_without_slack_ask_for_no_slack() -> None:
    """`mailbox list` needs no token."""
    keys = {"RETHREAD_SECRET_KEYS": GOOD["RETHREAD_SECRET_KEYS"]}
    assert parse(keys, needs_slack=False).slack_bot_token == ""
    assert any("SLACK_BOT_TOKEN" in one for one in mistakes(SLACK_BOT_TOKEN=""))


def test_http_delivery_and_many_workspaces() -> None:
    """A signing secret in place of the app token; a client in place of the bot token."""
    settings = parse({
        "SLACK_SIGNING_SECRET": "s", "SLACK_CLIENT_ID": "1", "SLACK_CLIENT_SECRET": "2",
        "RETHREAD_SECRET_KEYS": GOOD["RETHREAD_SECRET_KEYS"],
    })  # fmt: skip
    assert settings.slack_client_id == "1"


def test_an_ipv6_host_makes_a_good_public_address() -> None:
    """With brackets, as addresses on the web need them."""
    assert parse({**GOOD, "RETHREAD_HOST": "::1"}).public_url == "http://[::1]:3000"


def test_no_secret_shows_in_repr() -> None:
    """Settings may be logged by accident."""
    settings = parse({
        **GOOD, "SLACK_SIGNING_SECRET": "canary", "GOOGLE_CLIENT_ID": "g", "GOOGLE_CLIENT_SECRET": "canary",
        "DATABASE_URL": "postgresql+psycopg://u:canary@h/db", "RETHREAD_SECRET_KEYS": "canary" * 6,
    })  # fmt: skip
    assert "canary" not in repr(settings)
