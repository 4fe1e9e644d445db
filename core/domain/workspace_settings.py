"""Settings that a workspace changes while Rethread runs: each with its default, bounds and meaning. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import available_timezones

from core.domain.provider_caps import parse_provider_limits
from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Setting:
    """``kind``: int, number, numbers (list of seconds), choice, names (list of words), zone, channel. Bounds are
    inclusive."""

    key: str
    kind: str
    default: Any
    meaning: str
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()


ALL: Final = (
    Setting("alert_channel", "channel", None, "Channel told when a mailbox's sync breaks (besides its owner)."),
    Setting(
        "reply_channel", "channel", None, "Channel told of replies and failed stages, unless the campaign names one."
    ),
    Setting("spacing_min_s", "number", 60, "Least seconds between two campaign mails of one mailbox.", 0, 86_400),
    Setting("spacing_max_s", "number", 120, "Most seconds between two campaign mails of one mailbox.", 0, 86_400),
    Setting(
        "freshness_s", "number", 300, "A follow-up goes only if the mailbox was read within so many seconds.", 1, 3_600
    ),
    Setting(
        "undecided_policy",
        "choice",
        "hold",
        "What happens to a mail of which nobody knows whether it went out.",
        choices=("hold", "assume_sent", "resend"),
    ),
    Setting(
        "settle_s",
        "numbers",
        (60, 300, 900),
        "Seconds after which an undecided send is looked up in Sent.",
        0.1,
        86_400,
    ),
    Setting("poll_sent_s", "number", 60, "Seconds between looks into Sent and Junk.", 0.2, 3_600),
    Setting(
        "idle_renew_s", "number", 540, "Longest wait before the open connection is renewed and proved alive.", 1, 1_740
    ),
    Setting("alert_tries", "int", 3, "Failed tries before a passing fault is told.", 1, 100),
    Setting("alert_after_s", "number", 600, "Seconds without success before a passing fault is told.", 0, 86_400),
    Setting(
        "retry_first_s",
        "number",
        2,
        "Seconds before the first new try after a fault; grows by half each time.",
        0.05,
        600,
    ),
    Setting("retry_most_s", "number", 600, "Longest wait between two tries.", 0.1, 7_200),
    Setting(
        "give_up_after_s",
        "number",
        172_800,
        "Seconds of failure after which Rethread stops trying (two days).",
        60,
        2_592_000,
    ),
    Setting(
        "login_retry_s", "number", 1_800, "Seconds between tries while a person has to act on their side.", 1, 86_400
    ),
    Setting("mailbox_limit", "int", 0, "Most mailboxes synced at once; further ones wait (0: no limit).", 0, 100_000),
    Setting(
        "match_addresses",
        "choice",
        "any",
        "Which addresses of a person count: any of them, or the primary one only.",
        choices=("any", "primary"),
    ),
    Setting(
        "match_exactness",
        "choice",
        "exact",
        "Whether an address must be the same letter for letter, or Gmail's dots and +tags are ignored.",
        choices=("exact", "normalised"),
    ),
    Setting(
        "internal_mail",
        "choice",
        "skip",
        "Mail between colleagues (same company): leave it alone, or log it as any other.",
        choices=("skip", "log"),
    ),
    Setting("own_domains", "names", (), "Further domains that belong to your company, beside those of the mailboxes."),
    Setting(
        "further_folders", "names", (), "Names of further folders to read, beside the inbox, Sent and Junk (or all)."
    ),
    Setting(
        "history_days",
        "int",
        3_650,
        "How many days of old mail are read when a mailbox is connected (0: only what comes from then on).",
        0,
        36_500,
    ),
    Setting(
        "mail_before_profile",
        "choice",
        "log",
        "Mail older than the person's profile: log it, or skip it.",
        choices=("log", "skip"),
    ),
    Setting(
        "backfill",
        "choice",
        "off",
        "Whether old mail is looked through again when an address is added to a profile.",
        choices=("off", "on"),
    ),
    Setting(
        "stuck_after_s",
        "number",
        1_080,
        "Seconds without proof of life after which a connection is made anew.",
        1,
        7_200,
    ),
    Setting(
        "canary_every_s",
        "number",
        0,
        "Seconds between check mails that your mailboxes send each other, to find silent breaks (0: none).",
        0,
        604_800,
    ),
    Setting("canary_patience_s", "number", 1_200, "Seconds after which a check mail without echo is told.", 1, 86_400),
    Setting(
        "refresh_every_s", "number", 86_400, "Seconds after which all folders are looked through anew.", 1, 604_800
    ),
    Setting("remind_after_s", "number", 86_400, "Seconds after which a broken mailbox is told again.", 1, 604_800),
    Setting("storm_mailboxes", "int", 3, "Mailboxes broken by one cause that are told on one card.", 2, 10_000),
    Setting("storm_window_s", "number", 600, "Seconds within which such breaks belong together.", 1, 86_400),
    Setting("expiry_warning_days", "int", 7, "Days ahead that the end of a sign-in is told.", 1, 60),
    Setting("sign_in_days", "int", 90, "Days after which Microsoft may ask a person to sign in again.", 1, 3_650),
    Setting("workspace_zone", "zone", "UTC", "Time zone in which a day of this workspace begins at midnight."),
    Setting(
        "daily_email_limit",
        "int",
        5_000,
        "Most campaign mails a day of the whole workspace; further ones fail with Email Limit and wait for a Retry.",
        1,
        10_000_000,
    ),
    Setting("mailbox_daily", "int", 200, "Most campaign mails of one mailbox in 24 hours, once warmed up.", 1, 100_000),
    Setting("mailbox_first_daily", "int", 50, "Most campaign mails of a new mailbox in 24 hours.", 1, 100_000),
    Setting("mailbox_first_days", "int", 7, "Days for which a mailbox counts as new (0: no warming up).", 0, 365),
    Setting("ramp_percent", "int", 10, "Growth of a mailbox's (and its domain's) volume a day, at most.", 1, 1_000),
    Setting(
        "provider_caps",
        "names",
        (),
        "Most mails in 24 hours by provider where yours differ, such as google=1500, yahoo=400.",
    ),
    Setting(
        "provider_per_minute",
        "names",
        (),
        "Most mails a minute by provider where yours differ, such as microsoft=20.",
    ),
    Setting(
        "company_daily", "int", 0, "Most campaign mails in 24 hours to one company's domain (0: no limit).", 0, 100_000
    ),
    Setting("free_mail_domains", "names", (), "Further domains that are no company's, beside gmail.com and its like."),
    Setting("first_mails_daily", "int", 0, "Most first mails of one campaign in 24 hours (0: no limit).", 0, 1_000_000),
    Setting(
        "brake_mailbox_percent", "number", 2, "Share of bounces at which a mailbox stops sending (0: never).", 0, 100
    ),
    Setting(
        "brake_campaign_percent", "number", 3, "Share of bounces at which a campaign stops sending (0: never).", 0, 100
    ),
    Setting("brake_sample", "int", 50, "Least mails sent before a share of bounces means anything.", 1, 100_000),
    Setting("brake_days", "int", 7, "Days over which bounces are counted.", 1, 30),
    Setting(
        "validation",
        "choice",
        "on",
        "Whether addresses are checked before a mail goes: form, domain, throw-away and role addresses.",
        choices=("on", "off"),
    ),
    Setting("tracking", "choice", "on", "Whether opens, clicks and downloads are counted.", choices=("on", "off")),
    Setting(
        "unsubscribe",
        "choice",
        "on",
        "Whether campaign mails carry the header by which mail programs offer to unsubscribe.",
        choices=("on", "off"),
    ),
    Setting("finish_undo_s", "number", 120, "Seconds in which Mark finished can be undone.", 0, 86_400),
    Setting(
        "out_of_office",
        "choice",
        "hold",
        "What an out-of-office answer does: follow-ups wait for the day of return, or it is only logged.",
        choices=("hold", "log"),
    ),
    Setting("away_most_days", "int", 30, "Longest wait for somebody's return; later dates are not believed.", 1, 365),
    Setting("away_default_days", "int", 3, "Wait for an out-of-office answer without a date (0: none).", 0, 60),
    Setting(
        "task_reminder_s", "number", 86_400, "Seconds after which an open call or task is told again.", 60, 2_592_000
    ),
    Setting("sms_daily", "int", 200, "Most texts of the workspace in 24 hours.", 1, 1_000_000),
    Setting("phone_country", "names", (), "Country of phone numbers without a country code, such as GB."),
    Setting(
        "late_reply",
        "choice",
        "log",
        "What a reply does after the last stage was done: it is only counted, or the prospect becomes Replied.",
        choices=("log", "replied"),
    ),
)

_PROVIDER_LIMITS: Final = ("provider_caps", "provider_per_minute")

BY_KEY: Final = {setting.key: setting for setting in ALL}


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """The settings in force: stored values over defaults."""

    values: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        value = self.values.get(key)
        return BY_KEY[key].default if value is None else value

    def is_set(self, key: str) -> bool:
        """Whether somebody chose a value, in place of the default."""
        return self.values.get(key) is not None

    def seconds(self, key: str) -> float:
        """A number setting in seconds."""
        return float(self[key])

    def settle(self) -> tuple[float, ...]:
        return tuple(float(value) for value in self["settle_s"])


def parse_value(key: str, text: str) -> Any:
    """The value a person typed. Raises InputError naming the key, the bounds and the fix."""
    setting = BY_KEY.get(key)
    if setting is None:
        raise InputError(f"there is no setting {key[:60]!r}", field="key", fix=f"Settings: {', '.join(BY_KEY)}.")
    text = text.strip()
    if text.lower() in ("", "default", "none"):
        return None
    return _PARSERS[setting.kind](setting, text)


def _number(setting: Setting, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{text[:40]!r} is not a number", field=setting.key) from None
    if not setting.low <= value <= setting.high:
        raise InputError(f"must be from {setting.low:g} to {setting.high:g}", field=setting.key)
    return int(value) if value.is_integer() else value


def _int(setting: Setting, text: str) -> int:
    value = _number(setting, text)
    if not isinstance(value, int):
        raise InputError(f"{text[:40]!r} is not a whole number", field=setting.key)
    return value


def _numbers(setting: Setting, text: str) -> tuple[float, ...]:
    values = tuple(_number(setting, part) for part in text.split(","))
    if not 1 <= len(values) <= 10 or list(values) != sorted(values):
        raise InputError("must be one to ten growing numbers, separated by commas", field=setting.key)
    return values


def _names(setting: Setting, text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not 1 <= len(names) <= 50 or any(len(name) > 200 or not name.isprintable() for name in names):
        raise InputError("must be one to 50 names, separated by commas", field=setting.key)
    if setting.key in _PROVIDER_LIMITS:
        parse_provider_limits(names, setting.key)
    return names


def _choice(setting: Setting, text: str) -> str:
    if text not in setting.choices:
        raise InputError(f"must be one of {', '.join(setting.choices)}", field=setting.key)
    return text


def _channel(setting: Setting, text: str) -> str:
    match = re.fullmatch(r"(?:<#)?([CG][A-Z0-9]{2,20})(?:\|[^>]*)?>?", text)
    if not match:
        raise InputError(f"{text[:40]!r} is not a channel id", field=setting.key, fix="Mention the channel: #channel.")
    return match[1]


def _zone(setting: Setting, text: str) -> str:
    if text not in available_timezones():
        raise InputError(f"{text[:40]!r} is not a time zone", field=setting.key, fix="Write it as Europe/London.")
    return text


_PARSERS: Final = {
    "zone": _zone,
    "number": _number,
    "int": _int,
    "numbers": _numbers,
    "choice": _choice,
    "names": _names,
    "channel": _channel,
}
