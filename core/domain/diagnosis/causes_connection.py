"""Causes around connections, servers, folders and limits of reading. Pure data."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.diagnosis.model import Cause, CauseClass, Who

_NOTHING = "Nothing to do: Rethread reconnects by itself."
_RETRIES = "Rethread tries again by itself and tells you when it works; press Resync to try at once."


def _silent(title: str, why: str) -> Cause:
    return Cause(CauseClass.SILENT, title, f"{why} {_NOTHING}")


def _wait(title: str, why: str, obsolete: Mapping[str, str] | None = None) -> Cause:
    return Cause(CauseClass.WAIT, title, f"{why} {_RETRIES}", obsolete_by_provider=obsolete or {})


def _slow(title: str, fix: str) -> Cause:
    return Cause(CauseClass.SLOW_DOWN, title, fix)


# Who signs in with them has no server name to correct, and no administrator who could renew a certificate of theirs.
_LARGE = {"google": "Google", "microsoft": "Microsoft"}


def _settings(
    title: str, fix: str, who: Who = Who.RECRUITER, forward: str | None = None, *, at_large: str = ""
) -> Cause:
    """``at_large`` is the fix where the server is Google's or Microsoft's own: {name} stands for it."""
    return Cause(
        CauseClass.SETTINGS,
        title,
        fix,
        who=who,
        forward=forward,
        fix_by_provider={key: at_large.format(name=name) for key, name in _LARGE.items()} if at_large else {},
        who_by_provider=dict.fromkeys(_LARGE, Who.OPERATOR) if at_large else {},
    )


def _folder(title: str, fix: str, who: Who = Who.RECRUITER) -> Cause:
    return Cause(CauseClass.ONE_FOLDER, title, fix, who=who)


def _bug(title: str, fix: str) -> Cause:
    return Cause(CauseClass.OUR_BUG, title, fix)


_SILENT: dict[str, Cause] = {
    "session_expired": _silent("Session ended", "The server ends every session after a while; that is normal."),
    "idle_timeout": _silent("Idle session ended", "The server closed a connection on which nothing had happened."),
    "connection_closed_by_server": _silent(
        "Server closed the connection", "The server closed the connection politely."
    ),
    "server_shutdown": _silent("Server restarts", "The mail server is being restarted."),
    "message_gone": _silent(
        "Messages were removed meanwhile", "Some messages were deleted while they were being read."
    ),
    "condstore_not_available": _silent(
        "Folder keeps no change numbers", "This folder is compared by counting instead."
    ),
    "uidvalidity_changed": _silent(
        "Folder was renumbered", "The server renumbered a folder; its mail is matched anew."
    ),
}

_WAIT: dict[str, Cause] = {
    "mailbox_not_reachable": Cause(
        CauseClass.WAIT,
        "Signed in, but the mailbox does not open",
        "The sign-in was accepted, yet the mailbox did not open: a fault at the provider, or this sign-in has no right "
        "or licence for it. Rethread tries again; if it stays, ask the administrator and press Resync.",
        forward="Sign-in for this mailbox succeeds but the mailbox does not open. Please check its licence, that "
        "IMAP is allowed for it, and that the signed-in user owns it or has full access.",
    ),
    "sender_domain_dns": _wait("Sender's domain could not be looked up", "DNS for the sending domain gives no answer."),
    "server_unavailable": _wait(
        "Mail server is unavailable", "The provider has a fault or is busy; your password is fine."
    ),
    "server_error": _wait("Mail server reports a fault", "Something broke inside the mail server."),
    "connection_reset": _wait(
        "Connection broke off",
        "The server or a firewall cut the connection. If it never worked, check server name and port.",
        obsolete={
            "google": "Older guides say to open accounts.google.com/DisplayUnlockCaptcha and to check mail no more "
            "often than every 10 minutes. That page no longer helps; Rethread waits for the server's push instead, "
            "and today's remedy is to press Reconnect and sign in with Google."
        },
    ),
    "connect_timeout": _wait(
        "Mail server does not answer",
        "No connection came about in time. If it never worked, check server name and port.",
    ),
    "read_timeout": _wait("Mail server fell silent", "The server stopped answering in the middle of a conversation."),
    "dns_temporary_failure": _wait("Name lookup failed", "The name service gave no answer just now."),
    "mailbox_locked": _wait("Mailbox is in use", "Another program holds the mailbox for a moment."),
    "network_unreachable": _wait("Network is down", "There is no way to the mail server from here just now."),
    "connection_refused": _wait(
        "Mail server refuses connections", "The server is down, or server name or port in the settings are wrong."
    ),
}

_SLOW: dict[str, Cause] = {
    "rate_limited": _slow(
        "Provider asks us to slow down",
        "The provider limits how much this mailbox may do in a while, often because other apps use it too. Remove apps "
        "you no longer need; Rethread goes on more slowly by itself.",
    ),
    "too_many_connections": _slow(
        "Too many connections",
        "More programs are connected to this mailbox than the provider allows. Close some; Rethread tries again in a "
        "few minutes.",
    ),
    "auth_rate_limited": _slow(
        "Too many sign-ins",
        "The provider blocks sign-ins for a while after too many of them. Rethread waits; meanwhile check that no "
        "other program uses an old password.",
    ),
    "bandwidth_quota": _slow(
        "Traffic limit reached",
        "The mailbox has used up what the provider lets programs read in a day. Remove other connected apps; Rethread "
        "goes on when the limit ends, at the latest after 24 hours.",
    ),
    "recipient_rate_limited": _slow(
        "Recipient gets too much mail at once",
        "The recipient's server takes no more mail for this address just now. Rethread tries again later.",
    ),
    "oauth_rate_limited": _slow(
        "Sign-in service asks us to wait",
        "The provider's sign-in service got too many requests. Rethread waits as long as it asks and goes on by "
        "itself.",
    ),
    "greylisted": _slow(
        "First mail is kept waiting",
        "The recipient's server makes unknown senders wait on the first try. Rethread sends again in some minutes.",
    ),
    "delivery_delayed": _slow(
        "Delivery is delayed",
        "The recipient's server does not answer just now. Rethread or your provider goes on trying; nothing to press.",
    ),
}

_IN_BETWEEN = (
    "What answers in {name}'s name shows a certificate that {name} would not: a proxy, firewall or name service "
    "between Rethread and {name} is at fault, not the mailbox. The operator looks there; then press Resync."
)
_NAME_LOST = (
    "{name}'s server cannot be found by its name, so the name service that Rethread asks is at fault, not the mailbox. "
    "The operator looks there; then press Resync."
)

_SETTINGS: dict[str, Cause] = {
    "tls_cert_untrusted": _settings(
        "Server certificate is not trusted",
        "The server shows a certificate that nobody known has signed, or leaves out a part of it. Send the text below "
        "to the mail administrator, then press Resync.",
        Who.MAIL_ADMIN,
        "The mail server's TLS certificate does not verify. Please install a publicly trusted one with its whole "
        "chain.",
        at_large=_IN_BETWEEN,
    ),
    "tls_cert_expired": _settings(
        "Server certificate has expired",
        "The mail server's certificate has run out, so the connection would not be safe. Ask the mail administrator to "
        "renew it, then press Resync.",
        Who.MAIL_ADMIN,
        "The mail server's TLS certificate has expired. Please renew it.",
        at_large=_IN_BETWEEN,
    ),
    "tls_hostname_mismatch": _settings(
        "Certificate is for another server name",
        "The server's certificate does not carry the name in your settings. Press Reconnect and enter the hoster's own "
        "server name, the one in the certificate.",
        at_large=_IN_BETWEEN,
    ),
    "tls_wrong_port": _settings(
        "Port does not speak TLS",
        "The server answered in clear where encryption was expected, so port and encryption do not fit. Press "
        "Reconnect and use 993 for IMAP, and 465, or 587 with STARTTLS, for SMTP.",
    ),
    "tls_version_unsupported": _settings(
        "Server speaks only outdated encryption",
        "The mail server knows no version of TLS that is still safe. Ask the mail administrator to update it.",
        Who.MAIL_ADMIN,
        "The mail server offers only TLS 1.0 or 1.1. Please enable TLS 1.2 or newer.",
    ),
    "tls_handshake_failed": _settings(
        "No common encryption",
        "Rethread and the mail server found no encryption that both know. Ask the mail administrator to update the "
        "server's TLS settings.",
        Who.MAIL_ADMIN,
        "The TLS handshake with the mail server fails: no common cipher or protocol. Please update its TLS settings.",
    ),
    "tls_required": _settings(
        "Server wants an encrypted connection",
        "The server takes passwords and mail only over an encrypted connection. Press Reconnect and choose port 993 "
        "for IMAP, and 465, or 587 with STARTTLS, for SMTP.",
    ),
    "dns_name_unknown": _settings(
        "Server name does not exist",
        "No server of this name can be found, most often because of a typing error. Press Reconnect and correct the "
        "server name.",
        at_large=_NAME_LOST,
    ),
    "dns_no_record": _settings(
        "Domain names no mail server",
        "The domain's DNS does not say which server holds its mail. Press Reconnect and enter the server names by "
        "hand, as the mail provider gives them.",
    ),
    "wrong_server": _settings(
        "Wrong mail server",
        "This server does not take sign-ins for your mailbox. Press Reconnect and enter the server that your provider "
        "names.",
        Who.RECRUITER,
    ),
    "mailbox_moved": _settings(
        "Mailbox has moved",
        "The mailbox now lives on another server. Press Reconnect and confirm the new server name.",
    ),
}

_FOLDER: dict[str, Cause] = {
    "folder_missing": _folder(
        "A folder is missing",
        "A watched folder was renamed, deleted or hidden from mail programs; all others go on. Show or restore the "
        "folder in webmail, then press Resync.",
    ),
    "folder_no_permission": _folder(
        "No right to a folder",
        "This sign-in may not open one of the folders; all others go on. If it should, ask its owner for access, then "
        "press Resync.",
    ),
    "mailbox_corrupt": _folder(
        "A folder is damaged",
        "The server finds a folder of the mailbox damaged; all others go on. Ask the mail administrator to repair it, "
        "then press Resync.",
        Who.MAIL_ADMIN,
    ),
    "storage_quota": _folder(
        "Mailbox is full",
        "The mailbox has no space left, so copies of sent mail cannot be filed; reading goes on. Delete some mail or "
        "ask for more space, then press Resync.",
    ),
}

_BUG: dict[str, Cause] = {
    "client_bug": _bug(
        "Rethread sent something the server did not understand",
        "That is Rethread's fault, not yours; it reconnects by itself. If it stays, report it with the server's words.",
    ),
    "bad_charset": _bug(
        "Server does not know the character set",
        "Rethread searched with letters this server cannot read; it asks again in another way. Nothing to press.",
    ),
    "message_malformed": _bug(
        "A message was built wrongly",
        "The server refused the form of a message that Rethread built. Report it with the server's words; sending the "
        "same again does not help.",
    ),
    "operation_not_supported": _bug(
        "Server cannot do this",
        "Rethread asked for something this server never does; it goes on without. If mail is missing, report it.",
    ),
}

CONNECTION_CAUSES: Mapping[str, Cause] = {**_SILENT, **_WAIT, **_SLOW, **_SETTINGS, **_FOLDER, **_BUG}
