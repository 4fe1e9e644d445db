"""The process's settings: read once from a mapping, all mistakes told together (contract, Environment)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import SettingsError

ROLES = ("all", "bot", "engine")
DISPATCHERS = ("local", "procrastinate", "sql")


@dataclass(frozen=True, slots=True)
class SignIn:
    """One provider's OAuth client. ``base`` stands in place of the provider's sign-in address, ``imap`` and ``smtp``
    (host, port) of its mail servers; empty and None: the real ones."""

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    base: str = ""
    tenant: str = "common"
    imap: tuple[str, int] | None = None
    smtp: tuple[str, int] | None = None

    @property
    def configured(self) -> bool:
        return bool(self.client_id and self.client_secret)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The account that text messages go out from; ``sender`` is a number (E.164) or a messaging service (MG…)."""

    sid: str = ""
    token: str = field(default="", repr=False)
    sender: str = ""
    url: str = "https://api.twilio.com"

    @property
    def configured(self) -> bool:
        return bool(self.sid and self.token and self.sender)


@dataclass(frozen=True, slots=True)
class SystemMail:
    """Where "Send test" goes out: the address that stands in From, its server, how that is secured (ssl, starttls,
    none), and the login. Empty: test letters are off."""

    address: str = ""
    smtp: tuple[str, int] | None = None
    tls: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def configured(self) -> bool:
        return bool(self.address and self.smtp)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the process is told from outside. Secrets do not show in ``repr``."""

    slack_bot_token: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    slack_app_token: str = field(default="", repr=False)
    slack_client_id: str = ""
    slack_client_secret: str = field(default="", repr=False)
    slack_api_url: str = "https://slack.com/api/"
    database_url: str = field(default="sqlite+aiosqlite:///rethread.db", repr=False)
    dispatcher: str = "local"
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    host: str = "127.0.0.1"
    port: int = 3000
    public_url: str = "http://127.0.0.1:3000"
    ca_file: str | None = None
    google: SignIn = SignIn()
    microsoft: SignIn = SignIn()
    twilio: TwilioAccount = TwilioAccount()
    phone_country: str | None = None
    system_mail: SystemMail = SystemMail()
    dns: str | None = None
    allow_private_mail_hosts: bool = False
    admins: tuple[str, ...] = ()
    alert_channel: str | None = None
    reply_channel: str | None = None
    role: str = "all"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None on PostgreSQL."""
        return Path(self.database_url.split(":///", 1)[1]) if self.is_sqlite else None


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.mistakes: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self._environment.get(name, "").strip() or default

    def listed(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            self.mistakes.append(f"{name} is {value[:40]!r}; set it to one of {', '.join(allowed)}.")
        return value

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in ("", "0", "1", "true", "false", "yes", "no"):
            self.mistakes.append(f"{name} is {value[:40]!r}; set it to 1 or leave it out.")
        return value in ("1", "true", "yes")

    def port(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65535:
            self.mistakes.append(f"{name} is {value[:40]!r}; set it to a port number such as {default}.")
            return default
        return int(value)

    def server(self, name: str) -> tuple[str, int] | None:
        value = self.text(name)
        host, _, port = value.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if value and not (
            re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", host)
            and re.fullmatch(r"[0-9]{1,5}", port)
            and 0 < int(port) <= 65535
        ):
            self.mistakes.append(f"{name} is {value[:80]!r}; set it to HOST:PORT, or leave it out for the real server.")
            return None
        return (host, int(port)) if value else None

    def prefixed(self, name: str, prefix: str) -> str:
        value = self.text(name)
        if value and not value.startswith(prefix):
            self.mistakes.append(f"{name} does not begin with {prefix}; copy it again from the Slack app's settings.")
        return value

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not _is_web_address(value):
            self.mistakes.append(f"{name} is {value[:80]!r}; set it to an address such as {default}.")
        return value


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:  # a broken IPv6 address, a port that is none
        return False


def parse(environment: Mapping[str, str], *, needs_slack: bool = True) -> Settings:
    """Settings from environment variables. Raises SettingsError holding every mistake found.

    ``needs_slack`` is False for commands that never speak to Slack.
    """
    reader = _Reader(environment)
    host, port = reader.text("RETHREAD_HOST", "127.0.0.1"), reader.port("RETHREAD_PORT", 3000)
    database_url = _database(reader)
    settings = Settings(
        slack_bot_token=reader.prefixed("SLACK_BOT_TOKEN", "xoxb-"),
        slack_signing_secret=reader.text("SLACK_SIGNING_SECRET"),
        slack_app_token=reader.prefixed("SLACK_APP_TOKEN", "xapp-"),
        slack_client_id=reader.text("SLACK_CLIENT_ID"),
        slack_client_secret=reader.text("SLACK_CLIENT_SECRET"),
        slack_api_url=reader.url("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
        database_url=database_url,
        dispatcher=_dispatcher(reader, database_url),
        secret_keys=_keys(reader),
        host=host,
        port=port,
        public_url=reader.url("RETHREAD_PUBLIC_URL", _http(host, port)).rstrip("/"),
        ca_file=_ca_file(reader),
        google=_google(reader),
        microsoft=_microsoft(reader),
        twilio=_twilio(reader),
        phone_country=_phone_country(reader),
        system_mail=_system_mail(reader),
        dns=_dns(reader),
        allow_private_mail_hosts=reader.flag("RETHREAD_ALLOW_PRIVATE_MAIL_HOSTS"),
        admins=_admins(reader),
        alert_channel=reader.text("RETHREAD_ALERT_CHANNEL") or None,
        reply_channel=reader.text("RETHREAD_REPLY_CHANNEL") or None,
        role=_role(reader, database_url),
    )
    _check_pairs(reader)
    if needs_slack:
        _check_slack(reader, settings)
    if reader.mistakes:
        raise SettingsError(reader.mistakes)
    return settings


def resolver_address(environment: Mapping[str, str]) -> str | None:
    """RETHREAD_DNS alone, for a command that needs no other setting. Raises SettingsError."""
    reader = _Reader(environment)
    address = _dns(reader)
    if reader.mistakes:
        raise SettingsError(reader.mistakes)
    return address


def _google(reader: _Reader) -> SignIn:
    return SignIn(
        client_id=reader.text("GOOGLE_CLIENT_ID"),
        client_secret=reader.text("GOOGLE_CLIENT_SECRET"),
        base=_https(reader, "GOOGLE_OAUTH_BASE"),
        imap=reader.server("RETHREAD_GOOGLE_IMAP"),
        smtp=reader.server("RETHREAD_GOOGLE_SMTP"),
    )


def _microsoft(reader: _Reader) -> SignIn:
    return SignIn(
        client_id=reader.text("MICROSOFT_CLIENT_ID"),
        client_secret=reader.text("MICROSOFT_CLIENT_SECRET"),
        base=_https(reader, "MICROSOFT_AUTHORITY"),
        tenant=_tenant(reader),
        imap=reader.server("RETHREAD_MICROSOFT_IMAP"),
        smtp=reader.server("RETHREAD_MICROSOFT_SMTP"),
    )


def _twilio(reader: _Reader) -> TwilioAccount:
    names = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM")
    missing = [name for name in names if not reader.text(name)]
    if 0 < len(missing) < len(names):
        reader.mistakes.append(f"{' and '.join(missing)} missing; text messages need {', '.join(names)}: all or none.")
    sid, token, sender = (reader.text(name) for name in names)
    if sid and not re.fullmatch(r"AC[0-9a-fA-F]{32}", sid):
        reader.mistakes.append(f"TWILIO_ACCOUNT_SID is {sid[:40]!r}; copy it again: AC and 32 characters.")
    if re.search(r"\s", token):
        reader.mistakes.append("TWILIO_AUTH_TOKEN holds a space; copy it again from Twilio's console.")
    if sender and not re.fullmatch(r"\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32}", sender):
        reader.mistakes.append(
            f"TWILIO_FROM is {sender[:40]!r}; set it to your Twilio number such as +12025550143, or to a messaging "
            "service's id (MG and 32 characters)."
        )
    return TwilioAccount(sid, token, sender, _twilio_url(reader))


def _twilio_url(reader: _Reader) -> str:
    """Our token travels there: https, or this machine."""
    value = reader.url("TWILIO_API_URL", "https://api.twilio.com").rstrip("/")
    if _is_web_address(value) and not _is_safe_address(value):
        reader.mistakes.append(f"TWILIO_API_URL is {value[:80]!r}; set it to an https address or leave it out.")
    return value


def _is_safe_address(value: str) -> bool:
    parts = urlsplit(value)
    safe = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")
    return safe and not set("?#@") & set(value)


def _phone_country(reader: _Reader) -> str | None:
    value = reader.text("RETHREAD_PHONE_COUNTRY").upper()
    if not value:
        return None
    from core.domain.phone import is_country

    if not is_country(value):
        reader.mistakes.append(
            f"RETHREAD_PHONE_COUNTRY is {value[:40]!r}; set it to a country's two letters such as SE, or leave it out."
        )
    return value


def _system_mail(reader: _Reader) -> SystemMail:
    address, smtp = reader.text("RETHREAD_SYSTEM_FROM"), reader.server("RETHREAD_SYSTEM_SMTP")
    if bool(address) != bool(reader.text("RETHREAD_SYSTEM_SMTP")):
        reader.mistakes.append("RETHREAD_SYSTEM_FROM and RETHREAD_SYSTEM_SMTP belong together: give both or neither.")
    if address and not re.fullmatch(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}", address):
        reader.mistakes.append(
            f"RETHREAD_SYSTEM_FROM is {address[:80]!r}; set it to an address such as noreply@agency.test."
        )
    return SystemMail(
        address,
        smtp,
        reader.one_of("RETHREAD_SYSTEM_SMTP_TLS", ("ssl", "starttls", "none"), "starttls"),
        reader.text("RETHREAD_SYSTEM_SMTP_USERNAME"),
        reader.text("RETHREAD_SYSTEM_SMTP_PASSWORD"),
    )


def _https(reader: _Reader, name: str) -> str:
    value = reader.text(name).rstrip("/")
    if value and not (_is_web_address(value) and value.startswith("https:") and not set("?#@") & set(value)):
        reader.mistakes.append(f"{name} is {value[:80]!r}; set it to an https address or leave it out.")
    return value


def _tenant(reader: _Reader) -> str:
    """common, organizations, consumers, a directory's id or one of its domains."""
    value = reader.text("MICROSOFT_TENANT", "common")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}", value):
        reader.mistakes.append(
            f"MICROSOFT_TENANT is {value[:80]!r}; set it to the directory's id or domain, or leave it out."
        )
    return value


def _check_pairs(reader: _Reader) -> None:
    for service in ("SLACK", "GOOGLE", "MICROSOFT"):
        names = (f"{service}_CLIENT_ID", f"{service}_CLIENT_SECRET")
        given = [name for name in names if reader.text(name)]
        if len(given) == 1:
            missing = next(name for name in names if name not in given)
            reader.mistakes.append(f"{missing} is missing; it belongs to {given[0]}: give both or neither.")


def _check_slack(reader: _Reader, settings: Settings) -> None:
    if not settings.slack_bot_token and not settings.slack_client_id:
        reader.mistakes.append(
            "SLACK_BOT_TOKEN is missing; copy the Bot User OAuth Token (xoxb-…) from the Slack app's Install page."
        )
    if not settings.slack_app_token and not settings.slack_signing_secret:
        reader.mistakes.append(
            "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET is missing; give the app-level token (xapp-…) for Socket Mode, "
            "or the signing secret for HTTP delivery."
        )


def _http(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _database(reader: _Reader) -> str:
    url = reader.text("DATABASE_URL", "sqlite+aiosqlite:///rethread.db")
    if not re.match(r"sqlite\+aiosqlite:///.+|postgresql\+psycopg://.+", url):
        scheme = url.split(":", 1)[0][:40]
        reader.mistakes.append(
            f"DATABASE_URL begins with {scheme!r}; use sqlite+aiosqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
        )
    return url


def _dispatcher(reader: _Reader, database_url: str) -> str:
    sqlite = database_url.startswith("sqlite")
    value = reader.one_of("RETHREAD_DISPATCHER", DISPATCHERS, "local" if sqlite else "procrastinate")
    if sqlite and value in DISPATCHERS and value != "local":
        reader.mistakes.append(f"RETHREAD_DISPATCHER is {value!r}, which needs PostgreSQL; leave it out on SQLite.")
    return value


def _role(reader: _Reader, database_url: str) -> str:
    value = reader.one_of("RETHREAD_ROLE", ROLES, "all")
    if database_url.startswith("sqlite") and value in ROLES and value != "all":
        reader.mistakes.append(
            f"RETHREAD_ROLE is {value!r}, but SQLite admits one process, which must do everything; leave it out, or "
            "use PostgreSQL."
        )
    return value


def _keys(reader: _Reader) -> tuple[str, ...]:
    keys = reader.listed("RETHREAD_SECRET_KEYS")
    if not keys:
        reader.mistakes.append(
            "RETHREAD_SECRET_KEYS is missing; it encrypts stored credentials. Set it to a random text of 32 or more "
            "characters and keep it apart from backups."
        )
    for number, key in enumerate(keys, start=1):
        if len(key) < 32:
            reader.mistakes.append(
                f"RETHREAD_SECRET_KEYS, key {number}, has {len(key)} characters; use a random text of 32 or more."
            )
    return keys


def _ca_file(reader: _Reader) -> str | None:
    path = reader.text("RETHREAD_CA_FILE")
    if path and not Path(path).is_file():
        reader.mistakes.append(f"RETHREAD_CA_FILE names {path[:200]!r}, which is no file; correct the path.")
    return path or None


def _dns(reader: _Reader) -> str | None:
    value = reader.text("RETHREAD_DNS")
    if value and not re.fullmatch(r"[\w.:\[\]-]+:\d{1,5}", value):
        reader.mistakes.append(f"RETHREAD_DNS is {value[:60]!r}; write it as host:port.")
    return value or None


def _admins(reader: _Reader) -> tuple[str, ...]:
    users = reader.listed("RETHREAD_ADMINS")
    for user in users:
        if not re.fullmatch(r"[UW][A-Z0-9]{2,20}", user):
            reader.mistakes.append(f"RETHREAD_ADMINS holds {user[:40]!r}; give Slack user ids such as U012ABCDEF.")
    return users
