"""Causes that Rethread finds out by itself, where no server names them (R4). Pure data."""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.diagnosis.model import Cause, CauseClass, Who

OWN_CAUSES: Mapping[str, Cause] = {
    "no_sign_of_life": Cause(
        CauseClass.WAIT,
        "Server keeps the connection and says nothing",
        "The connection to the mail server stands, but nothing has come of it for a while. Rethread connects anew by "
        "itself and tells you when it works; press Resync to try at once.",
    ),
    "silent_break": Cause(
        CauseClass.MAILBOX_SWITCH,
        "Mail does not come through, and the server says nothing",
        "A check mail sent to this mailbox did not arrive, although the server reports no fault. Look in the mailbox "
        "itself: if mail is missing there too, ask your mail provider; if it is there, press Resync or Reconnect.",
    ),
    "all_mail_hidden": Cause(
        CauseClass.SILENT,
        "Gmail hides All Mail",
        "Gmail does not show its All Mail folder to mail programs, so the inbox and Sent are read in its place; mail "
        "filed elsewhere is not seen. In Gmail open Settings, Labels, and tick “Show in IMAP” beside All Mail.",
    ),
    "idle_deaf": Cause(
        CauseClass.SILENT,
        "Server tells of new mail late",
        "The server does not push new mail as it promises. Rethread asks each minute instead: nothing to do.",
    ),
    "folder_renumbers": Cause(
        CauseClass.TENANT_ADMIN,
        "Server renumbers a folder again and again",
        "The mail server gives a folder's mail new numbers each time, so nobody can keep track of it. Send the text "
        "below to your mail administrator, then press Resync.",
        forward="The server changes UIDVALIDITY of this folder at every login (RFC 3501, 2.3.1.1). Please repair the "
        "folder's index or restore its UIDVALIDITY.",
    ),
    "no_inbox": Cause(
        CauseClass.TENANT_ADMIN,
        "Server shows no inbox",
        "The login works, but the server lists no inbox that can be opened. Send the text below to your mail "
        "administrator, then press Resync.",
        forward="The server lists no selectable INBOX for this user over IMAP. Please check the mailbox and rights.",
    ),
    "credentials_sealed": Cause(
        CauseClass.OUR_APP,
        "Stored password cannot be opened",
        "Rethread's operator changed the keys that protect stored passwords. Ask the operator to put the earlier key "
        "back at the end of RETHREAD_SECRET_KEYS; if it is lost, press Reconnect.",
        who=Who.OPERATOR,
    ),
    "credentials_missing": Cause(
        CauseClass.USER_RECONNECTS,
        "No password is stored",
        "Nothing is stored with which this mailbox could be opened. Press Reconnect and sign in again.",
    ),
}
