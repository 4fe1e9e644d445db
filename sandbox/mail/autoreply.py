"""Out-of-office answers (RFC 3834)."""

from sandbox.mail.accounts import Account
from sandbox.mail.compose import compose, thread_headers
from sandbox.mail.message import ReadableMail

_UNATTENDED = ("mailer-daemon@", "postmaster@", "no-reply@", "noreply@")


def automatic_reply(account: Account, sender: str, raw: bytes) -> bytes | None:
    """The account's answer to a mail that came from envelope ``sender``, or None where none is due.

    One answer per sender, and none to machines: RFC 3834 section 2 forbids answering automatic
    mail, lists and null senders, which would make two hosts answer each other for ever.
    """
    mail = ReadableMail(raw)
    if not account.ooo or not sender or sender in account.ooo_answered or _is_automatic(sender, mail):
        return None
    account.ooo_answered.add(sender)
    return compose(
        account.address,
        [sender],
        f"Automatic reply: {mail.subject}",
        account.ooo,
        name=account.seed.name,
        headers={
            **thread_headers(mail),
            "Auto-Submitted": "auto-replied",
            "X-Auto-Response-Suppress": "All",
            "Precedence": "bulk",
        },
    )


def _is_automatic(sender: str, mail: ReadableMail) -> bool:
    submitted = mail.header("Auto-Submitted").lower() or "no"
    bulk = mail.header("Precedence").lower() in {"bulk", "list", "junk"}
    return sender.startswith(_UNATTENDED) or submitted != "no" or bulk or bool(mail.header("List-Id"))
