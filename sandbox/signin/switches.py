"""The switches a person or a test turns on one account or one app, described for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sandbox.mail.tokens import TokenProvider

Value = bool | str | None
Kind = Literal["toggle", "text", "choice"]
Options = Iterable[tuple[str, str]]

BOTH: tuple[TokenProvider, ...] = ("google", "microsoft")
MICROSOFT: tuple[TokenProvider, ...] = ("microsoft",)

SELF = "self"


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: how it reads and whose it is."""

    name: str
    label: str
    help: str
    kind: Kind = "toggle"
    providers: tuple[TokenProvider, ...] = BOTH

    def described(self, value: Value, options: Options = ()) -> dict[str, object]:
        """The switch as the page draws it, its present value in it."""
        told: dict[str, object] = {
            "name": self.name,
            "label": self.label,
            "help": self.help,
            "kind": self.kind,
            "value": value,
        }
        if self.kind == "choice":
            told["options"] = [{"value": allowed, "label": label} for allowed, label in options]
        return told


# These end what was granted before; signing in anew gives a good grant and turns the switch off.
ENDING = ("revoked", "expired", "password_changed", "mfa", "session_limit")
# These stand until they are turned off: neither a refresh nor signing in helps.
STANDING = ("account_disabled", "conditional_access", "admin_consent")
# These also close the mailbox at once, as the services do (Microsoft: continuous access evaluation).
SIGNING_OUT = ("revoked", "password_changed", "account_disabled", "mfa", "conditional_access")

ACCOUNT_SWITCHES = (
    Switch("revoked", "Access taken back", "The person removes the app's access: connections end, refreshing fails."),
    Switch("expired", "Unused for too long", "The refresh token has expired; open connections live on."),
    Switch("password_changed", "Password changed", "Changing the password ends every session and grant."),
    Switch(
        "mfa",
        "Second factor wanted",
        "Connections end, and refreshing asks for multi-factor authentication, which signing in anew gives.",
        providers=MICROSOFT,
    ),
    Switch("session_limit", "Session length limited", "The admin's limit on session length ends the grant."),
    Switch("account_disabled", "Account disabled", "The admin disabled the account: nothing works until it is back."),
    Switch(
        "conditional_access",
        "Blocked by policy",
        "A Conditional Access policy ends connections and refuses tokens until the admin allows the app.",
        providers=MICROSOFT,
    ),
    Switch("admin_consent", "Admin must approve", "The organisation lets nobody use the app before an admin approves."),
    Switch("consent_denied", "Declines consent", "Whoever signs in with this account presses Cancel."),
    Switch("no_mail_scope", "Leaves mail unticked", "Tokens come without the mail scope, and IMAP refuses them."),
    Switch(
        "signs_in_as",
        "Signs in as",
        "Choosing this account signs in another one, as a browser with two sessions does.",
        "choice",
    ),
)

APP_SWITCHES = (
    Switch("secret_expired", "Client secret expired", "The app's secret is past its date: every mailbox fails."),
    Switch("secret_wrong", "Client secret wrong", "The service knows another secret: every mailbox fails."),
    Switch("redirect_mismatch", "Redirect not registered", "The callback's address is not registered for the app."),
    Switch("throttled", "Too many requests", "Token requests are answered with 429 and Retry-After."),
    Switch("down", "Out of order", "The sign-in service answers 503 to everything."),
    Switch(
        "token_lifetime_s",
        "Access tokens live for",
        "Seconds from issue to expiry of access tokens issued from now on.",
        "text",
    ),
)


def account_switches(provider: TokenProvider) -> list[Switch]:
    return [switch for switch in ACCOUNT_SWITCHES if provider in switch.providers]
