"""What each provider answers when it lets nobody in. Pure data; the words are those that providers really send."""

from dataclasses import dataclass
from typing import Literal

from sandbox.mail.accounts import Provider

Side = Literal["imap", "smtp"]

_HELP_APP = "https://support.google.com/accounts/answer/185833"
_HELP_WEB = "https://support.google.com/mail/accounts/answer/78754"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The tagged IMAP reply without its tag, and the SMTP reply. Empty: that side has nothing against it."""

    imap: str = ""
    smtp: str = ""

    def on(self, side: Side) -> str:
        return self.imap if side == "imap" else self.smtp


def lines(code: str, *texts: str) -> str:
    """An SMTP reply of several lines (RFC 5321 section 4.2.1)."""
    return "\r\n".join([*(f"{code[:3]}-{code[4:]} {text}" for text in texts[:-1]), f"{code} {texts[-1]}"])


_GOOGLE_WRONG = Refusal(
    "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
    lines(
        "535 5.7.8",
        "Username and Password not accepted. For more information, go to",
        " https://support.google.com/mail/?p=BadCredentials a1b2c3.42 - gsmtp",
    ),
)
WRONG: dict[Provider, Refusal] = {
    "password": Refusal(_GOOGLE_WRONG.imap, "535 5.7.8 Username and Password not accepted."),
    "google": _GOOGLE_WRONG,
    "microsoft": Refusal("NO AUTHENTICATE failed.", "535 5.7.3 Authentication unsuccessful [XYZ.PROD.OUTLOOK.COM]"),
}
APP_PASSWORD = Refusal(
    f"NO [ALERT] Application-specific password required: {_HELP_APP} (Failure)",
    lines(
        "534 5.7.9",
        "Application-specific password required. For more information, go to",
        " https://support.google.com/mail/?p=InvalidSecondFactor a1b2c3.42 - gsmtp",
    ),
)
NO_PASSWORDS = Refusal(
    "NO Basic authentication is disabled.",
    "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [XYZ.PROD.OUTLOOK.COM]",
)
THROTTLED = Refusal("NO [LIMIT] Too many simultaneous connections")
CLOSED = "421 4.3.2 Service not available, closing transmission channel"

# By the switch's option, then by provider; "password" also stands for every provider that is not named.
SIGN_IN: dict[str, dict[Provider, Refusal]] = {
    "app_password_required": {"password": APP_PASSWORD, "microsoft": NO_PASSWORDS},
    "web_login": {
        "password": Refusal(
            f"NO [ALERT] Please log in via your web browser: {_HELP_WEB} (Failure)",
            lines(
                "534 5.7.14",
                "<https://accounts.google.com/signin/continue?sarp=1> Please log in",
                "through your web browser and then try again. a1b2c3.42 - gsmtp",
            ),
        )
    },
    "password_expired": {
        "password": Refusal("NO [EXPIRED] Password expired", "535 5.7.8 Error: authentication failed: password expired")
    },
    "disabled": {
        "password": Refusal("NO [ALERT] Account suspended by administration", "535 5.7.8 This account is disabled."),
    },
    "locked": {
        "password": Refusal(
            "NO [CONTACTADMIN] This account has been administratively locked.", "535 5.7.8 Your account is locked."
        ),
    },
}

IMAP_OFF: dict[str, dict[Provider, Refusal]] = {
    "imap_off": {
        "password": Refusal(
            "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable"
            " your account for IMAP access. (Failure)",
        ),
        "microsoft": Refusal("BAD User is authenticated but not connected."),
    },
    "imap_off_admin": {
        "password": Refusal(
            "NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for"
            " questions about this feature. (Failure)",
        ),
        # Exchange refuses the good token of a mailbox without IMAP in the words of a bad one.
        "microsoft": Refusal("NO AUTHENTICATE failed."),
    },
}

SERVER: dict[str, dict[Provider, Refusal]] = {
    "unavailable": {
        "password": Refusal(
            "NO [UNAVAILABLE] Account is temporarily unavailable.",
            "454 4.7.0 Temporary authentication failure",
        ),
        "google": Refusal(
            "NO [UNAVAILABLE] Temporary System Error (Failure)",
            "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later. a1b2c3.42 - gsmtp",
        ),
        "microsoft": Refusal(
            "NO [UNAVAILABLE] Server error - Please try again later",
            "454 4.7.0 Temporary authentication failure. [XYZ.PROD.OUTLOOK.COM]",
        ),
    },
    "rate_limited": {
        "password": Refusal(
            "BAD Request is throttled. Suggested Backoff Time: 20000 milliseconds",
            "454 4.7.0 Too many login attempts, please try again later.",
        )
    },
    "traffic_limit": {"password": Refusal("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)")},
    "system_error": {
        "password": Refusal(
            "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
        )
    },
}

_GOOGLE_LIMIT = lines(
    "550 5.4.5",
    "Daily user sending limit exceeded. For more information on Gmail",
    "sending limits go to https://support.google.com/a/answer/166852 a1b2c3.42 - gsmtp",
)
SENDING: dict[str, dict[Provider, Refusal]] = {
    "refused": {kind: Refusal(smtp=wrong.smtp) for kind, wrong in WRONG.items()},
    "auth_disabled": {
        "password": Refusal(
            smtp="535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
            " Visit https://aka.ms/smtp_auth_disabled for more information. [XYZ.PROD.OUTLOOK.COM]"
        )
    },
    "too_many_logins": {
        "password": Refusal(smtp="454 4.7.0 Too many login attempts, please try again later. a1b2c3.42 - gsmtp"),
        "microsoft": Refusal(smtp="432 4.3.2 Concurrent connections limit exceeded. [XYZ.PROD.OUTLOOK.COM]"),
    },
}
# Said to MAIL, once the sender has signed in.
DAILY_LIMIT: dict[Provider, Refusal] = {
    "password": Refusal(smtp=_GOOGLE_LIMIT),
    "microsoft": Refusal(
        smtp="550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients"
    ),
}

# What a session in progress is told when its account is cut off.
FAREWELLS: dict[Provider, str] = {
    "password": "Server shutting down.",
    "google": "Session expired, please login again.",
    "microsoft": "Connection is closed. 13",
}

CANNOT_OPEN = "[SERVERBUG] Internal error occurred. Refer to server log for more information."
MAILBOX_FULL = "[OVERQUOTA] Not enough disk quota"


def by_provider(table: dict[Provider, Refusal], provider: Provider) -> Refusal:
    """A row of the tables above for one provider."""
    return table.get(provider) or table["password"]
