"""What Rethread itself finds out where no server says anything. Pure data."""

from __future__ import annotations

from core.domain.diagnosis.signature import Signature, sig

OWN_SIGNATURES: tuple[Signature, ...] = (
    sig("no_sign_of_life", r"\bno sign of life for \d"),
    sig("silent_break", r"^check mail .{0,200} did not arrive"),
    sig("all_mail_hidden", "^all mail is not shown to imap programs"),
    sig("idle_deaf", "^mail arrived of which the server did not tell"),
    sig("folder_renumbers", r"^uidvalidity of .{1,300} changed \d{1,5} times in a row"),
    sig("no_inbox", "^the server lists no inbox"),
    sig("credentials_sealed", "^the secret is sealed with the key|^the stored credentials do not open"),
    sig("credentials_missing", "^no credentials are stored for this mailbox"),
)
