"""The switches a person or a test turns on one mailbox, in the order in which the page shows them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.mail import refusals
from sandbox.mail.accounts import Account, Provider, domain_of
from sandbox.mail.switch import EVERY_PROVIDER, Group, Switch, Turn, Value, nothing

if TYPE_CHECKING:
    from sandbox.mail.host import MailHost

SIGNED_OUT = "Session expired, please login again."
_CROWDED = "Too many simultaneous connections"

After = Callable[["MailHost", Account], None]
Options = tuple[tuple[str, str], ...]


# -- what turning does


def _cut_off(host: "MailHost", account: Account) -> None:
    host.sign_out(account.address, refusals.FAREWELLS[account.seed.provider])


def _crowd(host: "MailHost", account: Account) -> None:
    host.sign_out(account.address, _CROWDED)


def _sign_out(host: "MailHost", account: Account) -> None:
    host.sign_out(account.address, SIGNED_OUT)


def _end_submission(host: "MailHost", account: Account) -> None:
    host.end_submission(account.address)


def _unharmed(_host: "MailHost", _account: Account) -> None:
    return None


def _fault(name: str, after: After) -> Turn:
    """Sets a field of ``Faults``; ``after`` follows where it was turned to something harmful."""

    async def turn(host: "MailHost", account: Account, value: bool | str) -> None:
        setattr(account.faults, name, value)
        if value not in (False, "none"):
            after(host, account)

    return turn


async def _change_password(host: "MailHost", account: Account, value: str | None) -> None:
    if not value:
        raise ValueError("password takes a text that is not empty")
    account.password = value
    host.tokens.revoke(account.address)
    host.sign_out(account.address, SIGNED_OUT)


async def _drop(host: "MailHost", account: Account, _value: None) -> None:
    host.drop_connections(account.address)


async def _say_goodbye(host: "MailHost", account: Account, _value: None) -> None:
    _cut_off(host, account)


async def _renumber(host: "MailHost", account: Account, _value: None) -> None:
    await host.change_uidvalidity(account.address)


async def _freeze(host: "MailHost", account: Account, value: bool) -> None:
    account.faults.frozen = value
    if not value:
        await host.release(account)


async def _files_sent(_host: "MailHost", account: Account, value: bool) -> None:
    account.files_sent = value


async def _break_dns(host: "MailHost", account: Account, value: str) -> None:
    host.zones.break_domain(domain_of(account.address), value)


async def _break_host_name(host: "MailHost", account: Account, value: str) -> None:
    for name in host.host_names(account):
        host.zones.break_domain(name, value)
    if value != "none":
        host.drop_site(account)


async def _break_certificate(host: "MailHost", account: Account, value: str) -> None:
    host.present_certificate(account, value)
    if value != "none":
        host.drop_site(account)


async def _ooo(_host: "MailHost", account: Account, value: str | None) -> None:
    account.set_ooo(value)


async def _refuse(host: "MailHost", account: Account, value: str) -> None:
    host.directory.refuse(account.address, value)


# -- how they are made


def _toggle(
    group: Group,
    name: str,
    label: str,
    help_: str,
    after: After = _unharmed,
    *,
    well: Value = False,
    providers: tuple[Provider, ...] = EVERY_PROVIDER,
) -> Switch:
    turn = _fault(name, after)
    return Switch(name, group, label, help_, "toggle", _reader(name), turn, well=well, providers=providers)


def _choice(group: Group, name: str, label: str, help_: str, after: After, options: Options) -> Switch:
    return Switch(name, group, label, help_, "choice", _reader(name), _fault(name, after), options, "none")


def _action(group: Group, name: str, label: str, help_: str, turn: Turn) -> Switch:
    return Switch(name, group, label, help_, "action", nothing, turn)


def _reader(name: str) -> Callable[["MailHost", Account], Any]:
    return lambda _host, account: getattr(account.faults, name)


_SIGN_IN = (
    Switch(
        "password",
        "Sign-in",
        "Password",
        "Changes it, ends the access tokens in use and signs every program out, as providers do.",
        "text",
        lambda _host, account: account.password,
        _change_password,
    ),
    _toggle(
        "Sign-in",
        "app_password",
        "Has an app password",
        "On: the app password below lets programs in. Google refuses the account's own password either way.",
        well=None,
        providers=("google",),
    ),
    _choice(
        "Sign-in",
        "sign_in",
        "Signing in is refused",
        "Programs are signed out, and refused from now on, whatever they prove.",
        _sign_out,
        (
            ("none", "No: in order"),
            ("app_password_required", "An app password is demanded"),
            ("web_login", "Log in via the web browser first"),
            ("password_expired", "The password has expired"),
            ("disabled", "The account is disabled"),
            ("locked", "The account is locked"),
        ),
    ),
    _toggle(
        "Sign-in",
        "imap_off",
        "IMAP turned off by the user",
        "The account's own settings no longer allow IMAP; sending still works.",
        _sign_out,
    ),
    _toggle(
        "Sign-in",
        "imap_off_admin",
        "IMAP turned off by the admin",
        "The organisation no longer allows it. Exchange then refuses in the words of a wrong password.",
        _sign_out,
    ),
)

_SERVER = (
    _choice(
        "Server",
        "server",
        "Server trouble",
        "Open sessions end, and signing in is refused for this reason.",
        _cut_off,
        (
            ("none", "None"),
            ("unavailable", "Temporarily unavailable"),
            ("rate_limited", "Throttled: come back in 20 s"),
            ("traffic_limit", "Over the day's traffic quota"),
            ("system_error", "Internal error"),
        ),
    ),
    _toggle(
        "Server",
        "throttled",
        "Too many connections",
        "Signing in is refused because too many connections are open.",
        _crowd,
    ),
    _choice(
        "Server",
        "folder",
        "Folders",
        "One folder that will not open, or a mailbox without room: nothing can be filed and mail to it bounces.",
        _unharmed,
        (
            ("none", "All in order"),
            ("inbox", "INBOX will not open"),
            ("sent", "Sent will not open"),
            ("junk", "Junk will not open"),
            ("full", "The mailbox is full"),
        ),
    ),
    _action(
        "Server",
        "uidvalidity",
        "Renumber INBOX",
        "As after a restore: new UIDVALIDITY, every mail renumbered.",
        _renumber,
    ),
    _toggle("Server", "slow", "Slow answers", "Every answer takes two seconds."),
    _action("Server", "bye", "Say BYE", "Ends every session politely, as a restarting server does.", _say_goodbye),
    _action("Server", "drop", "Drop connections", "Cuts every open connection without a word.", _drop),
)

_SILENCE = (
    _toggle(
        "Silence",
        "silent",
        "Go silent",
        "Connections stay open, but the server answers nothing and tells of no new mail.",
    ),
    _toggle(
        "Silence",
        "deaf",
        "IDLE tells nothing",
        "New mail is not pushed. Whoever asks (NOOP, STATUS, SELECT) is told the truth.",
    ),
    Switch(
        "frozen",
        "Silence",
        "Frozen",
        "Everything is answered, but no folder shows new mail, nor copies of sent mail, until this is off again.",
        "toggle",
        _reader("frozen"),
        _freeze,
        well=False,
    ),
)

_SENDING = (
    _choice(
        "Sending",
        "sending",
        "Outgoing mail",
        "IMAP goes on. Open SMTP sessions end.",
        _end_submission,
        (
            ("none", "In order"),
            ("refused", "The password is refused for sending only"),
            ("auth_disabled", "SMTP sign-in is off for the organisation"),
            ("too_many_logins", "Too many sign-ins or sessions"),
            ("daily_limit", "The daily sending limit is reached"),
        ),
    ),
    _toggle(
        "Sending",
        "smtp_off",
        "Sending turned off",
        "The outgoing server closes the connection with 421 when this account signs in.",
        _end_submission,
    ),
    Switch(
        "files_sent",
        "Sending",
        "Files sent mail",
        "The server puts a copy of what it accepts into Sent, as Gmail and Microsoft do.",
        "toggle",
        lambda _host, account: account.files_sent,
        _files_sent,
        well=True,
    ),
)

_NAMES = (
    Switch(
        "host_name",
        "Name and certificate",
        "Name of the mail server",
        "What a look-up of its name gives. Shared by every mailbox on the same server, whose connections are cut.",
        "choice",
        lambda host, account: host.zones.fault(host.host_names(account)[0]),
        _break_host_name,
        (
            ("none", "Its address"),
            ("nxdomain", "The name does not exist"),
            ("servfail", "The name server fails"),
            ("silent", "The name server gives no answer"),
        ),
        "none",
    ),
    Switch(
        "certificate",
        "Name and certificate",
        "Certificate",
        "What new TLS connections see. Shared by every mailbox on the same server, whose connections are cut.",
        "choice",
        lambda host, account: host.site(account).certificate.fault,
        _break_certificate,
        (
            ("none", "In order"),
            ("expired", "Expired"),
            ("wrong_name", "Made out to another host"),
            ("untrusted", "Signed by an unknown authority"),
        ),
        "none",
    ),
    Switch(
        "dns",
        "Name and certificate",
        "Domain's DNS",
        "What is wrong with the DNS of the mailbox's domain (all mailboxes of the domain share it).",
        "choice",
        lambda host, account: host.zones.fault(domain_of(account.address)),
        _break_dns,
        (
            ("none", "In order"),
            ("spf", "No SPF record"),
            ("dmarc", "No DMARC record"),
            ("nxdomain", "Domain does not exist"),
            ("servfail", "Name server fails"),
            ("silent", "Name server gives no answer"),
        ),
        "none",
    ),
)

_CANDIDATE = (
    Switch(
        "ooo",
        "Candidate",
        "Out of office",
        "Answers each sender once with this text; empty turns it off.",
        "text",
        lambda _host, account: account.ooo,
        _ooo,
        role="candidate",
    ),
    Switch(
        "refuse",
        "Candidate",
        "Incoming mail",
        "What happens to mail for this address.",
        "choice",
        lambda host, account: host.directory.refusal(account.address),
        _refuse,
        (
            ("none", "Arrives"),
            ("bounce", "Bounces: unknown user"),
            ("full", "Bounces: mailbox full"),
            ("reject", "Refused at once: unknown user"),
            ("defer", "Refused for now: try later"),
            ("spam", "Refused as spam"),
            ("drop", "Arrives, but the connection is cut before the answer"),
            ("drop_before", "The connection is cut and the mail is lost"),
        ),
        "none",
        "candidate",
    ),
)

SWITCHES: dict[str, Switch] = {
    switch.name: switch for switch in (*_SIGN_IN, *_SERVER, *_SILENCE, *_SENDING, *_NAMES, *_CANDIDATE)
}


def switches_for(account: Account) -> list[Switch]:
    return [switch for switch in SWITCHES.values() if switch.fits(account)]
