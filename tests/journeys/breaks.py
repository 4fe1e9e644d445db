"""Ways to break a mailbox in the sandbox, and what its card then says: the table behind the walk and the guide."""

from __future__ import annotations

from dataclasses import dataclass

AGENCY, SPROUT, MERIDIAN = "rita@agency.test", "rita@sprout.test", "rita@meridian.test"

OWNER = "@Rita Reed can mend this."
ADMIN = "Whoever runs the mail server can mend this."
NOBODY = "Nobody needs to act: Rethread keeps trying."
OPERATOR = "Contact support: that is whoever runs Rethread"


@dataclass(frozen=True, slots=True)
class Turn:
    """One switch as it is turned. ``target`` is "" for the mailbox's own panel, an account or "app" for what its
    provider's sign-in does; ``by_hand``: clicked on the page, else asked of the page's HTTP routes."""

    switch: str
    value: bool | str = True
    target: str = ""
    by_hand: bool = True


@dataclass(frozen=True, slots=True)
class Break:
    """``cause`` is the card's own line, ``says`` words of its fix, ``server`` of the server's, ``press`` the button by
    which it is mended once the switch is back, empty where that alone mends it. ``password``: whether the card may
    speak of one."""

    name: str
    label: str
    mailbox: str
    turn: Turn
    cause: str
    who: str
    says: str
    server: str
    press: str = "Resync"
    title: str = "Sync broken"
    password: bool = False


ROUNDS: tuple[tuple[Break, ...], ...] = (
    (
        Break(
            "password",
            "Password",
            AGENCY,
            Turn("password"),
            "Password was changed or is wrong",
            OWNER,
            "Press Reconnect and enter the full e-mail address and today's password.",
            "Invalid credentials",
            press="Reconnect",
            password=True,
        ),
        Break(
            "app-password",
            "Signing in is refused: an app password is demanded",
            SPROUT,
            Turn("sign_in", "app_password_required"),
            "An app password is needed",
            OWNER,
            "Press Reconnect and choose Google sign-in, or enter an app password",
            "Application-specific password required",
            press="Reconnect",
            password=True,
        ),
        Break(
            "policy",
            "Blocked by policy",
            MERIDIAN,
            Turn("conditional_access", target=MERIDIAN),
            "Blocked by an access policy",
            ADMIN,
            "Send the text below to your administrator, and press Reconnect once it is allowed.",
            "AADSTS53003",
            press="Reconnect",
        ),
    ),
    (
        Break(
            "unavailable",
            "Server trouble: temporarily unavailable",
            AGENCY,
            Turn("server", "unavailable"),
            "Mail server is unavailable",
            NOBODY,
            "Rethread tries again by itself and tells you when it works",
            "[UNAVAILABLE] Account is temporarily unavailable.",
            press="",
        ),
        Break(
            "imap-off",
            "IMAP turned off by the user",
            SPROUT,
            Turn("imap_off"),
            "IMAP is switched off",
            OWNER,
            "turn IMAP on, then press Resync",
            "Your account is not enabled for IMAP use.",
        ),
        Break(
            "imap-off-admin",
            "IMAP turned off by the admin",
            MERIDIAN,
            Turn("imap_off_admin"),
            "IMAP is switched off",
            ADMIN,
            "In an organisation only the mail administrator can turn it on: send the text below",
            "AUTHENTICATE failed.",
            title="Partial sync",
        ),
    ),
    (
        Break(
            "disabled",
            "Signing in is refused: the account is disabled",
            AGENCY,
            Turn("sign_in", "disabled", by_hand=False),
            "Account is disabled",
            ADMIN,
            "Ask the administrator to restore it",
            "Account suspended by administration",
        ),
        Break(
            "revoked",
            "Access taken back",
            SPROUT,
            Turn("revoked", target=SPROUT),
            "Access was withdrawn",
            OWNER,
            "Press Reconnect and sign in again.",
            "invalid_grant",
            press="Reconnect",
            password=True,
        ),
        Break(
            "second-factor",
            "Second factor wanted",
            MERIDIAN,
            Turn("mfa", target=MERIDIAN, by_hand=False),
            "Two-step sign-in needed",
            OWNER,
            "Press Reconnect and finish two-step sign-in",
            "AADSTS50076",
            press="Reconnect",
        ),
    ),
    (
        Break(
            "too-many",
            "Too many connections",
            AGENCY,
            Turn("throttled"),
            "Too many connections",
            NOBODY,
            "More programs are connected to this mailbox than the provider allows.",
            "[LIMIT] Too many simultaneous connections",
            press="",
        ),
        Break(
            "silent",
            "Go silent",
            SPROUT,
            Turn("silent"),
            "Server keeps the connection and says nothing",
            NOBODY,
            "Rethread connects anew by itself",
            "no sign of life",
            press="",
        ),
        Break(
            "secret",
            "Client secret expired",
            MERIDIAN,
            Turn("secret_expired", target="app"),
            "Sign-in app: secret has expired",
            OPERATOR,
            "The operator makes a new secret",
            "AADSTS7000222",
            press="Resync all",
            title="Connection interrupted",
        ),
    ),
    (
        Break(
            "certificate-expired",
            "Certificate: expired",
            AGENCY,
            Turn("certificate", "expired"),
            "Server certificate has expired",
            ADMIN,
            "Ask the mail administrator to renew it, then press Resync.",
            "certificate has expired",
            press="",
        ),
        Break(
            "certificate-name",
            "Certificate: made out to another host",
            SPROUT,
            Turn("certificate", "wrong_name", by_hand=False),
            "Certificate is for another server name",
            OPERATOR,
            "a proxy, firewall or name service between Rethread and Google is at fault",
            "Hostname mismatch",
            press="",
        ),
        Break(
            "host-name",
            "Name of the mail server: does not exist",
            MERIDIAN,
            Turn("host_name", "nxdomain"),
            "Server name does not exist",
            OPERATOR,
            "the name service that Rethread asks is at fault, not the mailbox",
            "outlook.office365.com",
            press="",
        ),
    ),
    (
        Break(
            "sending",
            "Outgoing mail: the password is refused for sending only",
            AGENCY,
            Turn("sending", "refused"),
            "Password was changed or is wrong",
            OWNER,
            "Press Reconnect",
            "Username and Password not accepted.",
            press="Reconnect",
            title="Sending broken",
            password=True,
        ),
        Break(
            "frozen",
            "Frozen",
            SPROUT,
            Turn("frozen"),
            "Mail does not come through, and the server says nothing",
            OWNER,
            "A check mail sent to this mailbox did not arrive",
            "did not arrive within",
            press="",
        ),
    ),
    (
        Break(
            "smtp-auth",
            "Outgoing mail: SMTP sign-in is off for the organisation",
            MERIDIAN,
            Turn("sending", "auth_disabled"),
            "Sending by SMTP is switched off",
            ADMIN,
            "Send the text below to your administrator, then press Resync.",
            "SmtpClientAuthentication is disabled for the Tenant.",
            title="Sending broken",
        ),
    ),
)
BREAKS = tuple(one for together in ROUNDS for one in together)
# Whose cards the guide shows; pictures of all would say no more.
PICTURED = frozenset({"app-password", "policy", "imap-off-admin", "secret", "smtp-auth", "frozen"})

_MENDS = {
    "Resync": "*Resync*",
    "Reconnect": "*Reconnect*",
    "Resync all": "*Resync all*, by an admin",
    "": "goes on by itself",
}


def guide() -> list[str]:
    """The rows of the guide's table (docs/sandbox.md)."""
    return [f"| {one.mailbox} | {one.label} | {one.title}: {one.cause} | {_MENDS[one.press]} |" for one in BREAKS]
