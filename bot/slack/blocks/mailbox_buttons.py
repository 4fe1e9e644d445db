"""What can be pressed for a mailbox, fitting its state. Pure."""

from __future__ import annotations

from bot.slack.action_ids import PAUSE, RECONNECT, REFRESH, RESUME, RESYNC_HERE, encode
from bot.slack.blocks import kit
from bot.slack.blocks.alert_parts import provider_name
from bot.slack.blocks.kit import Json
from core.domain.account import Mailbox, MailboxStatus


def mend_buttons(address: str, value: str, fix: str, *, resync: str, sign_in: str = "password") -> list[Json]:
    """Resync (by the action id ``resync``) and Reconnect; the one that ``fix`` tells the reader to press stands out."""
    reconnect = "Reconnect" in fix and "Resync" not in fix
    return [
        resync_button(address, value, resync=resync, primary=not reconnect),
        reconnect_button(address, value, sign_in=sign_in, primary=reconnect),
    ]


def resync_button(address: str, value: str, *, resync: str, primary: bool) -> Json:
    return kit.button("Resync", resync, value, style="primary" if primary else None, spoken=f"Resync {address}")


def reconnect_button(address: str, value: str, *, sign_in: str, primary: bool) -> Json:
    """Leads to the provider's sign-in, or to the page where the password is typed."""
    anew = f"by signing in with {provider_name(sign_in)}" if sign_in != "password" else "with a new password"
    style = "primary" if primary else None
    return kit.button("Reconnect", RECONNECT, value, style=style, spoken=f"Reconnect {address} {anew}")


def state_buttons(mailbox: Mailbox) -> list[Json]:
    """For an answer or the Home tab: mend what is broken, refresh or pause what works, resume what is paused."""
    value = encode(mailbox.id, mailbox.version)
    fault = mailbox.fault or mailbox.send_fault
    match mailbox.status:
        case MailboxStatus.ERROR | MailboxStatus.CONNECTION_ISSUE | MailboxStatus.PARTIAL:
            fix = fault.fix if fault else ""
            return mend_buttons(mailbox.address, value, fix, resync=RESYNC_HERE, sign_in=mailbox.sign_in)
        case MailboxStatus.PAUSED:
            return [kit.button("Resume", RESUME, value, style="primary", spoken=f"Resume {mailbox.address}")]
        case MailboxStatus.DISCONNECTED:
            return [reconnect_button(mailbox.address, value, sign_in=mailbox.sign_in, primary=True)]
        case MailboxStatus.ACTIVE | MailboxStatus.HISTORICAL if fault:
            return mend_buttons(mailbox.address, value, fault.fix, resync=RESYNC_HERE, sign_in=mailbox.sign_in)
        case MailboxStatus.ACTIVE | MailboxStatus.HISTORICAL:
            return [
                kit.button("Refresh", REFRESH, value, spoken=f"Read new mail of {mailbox.address} now"),
                kit.button("Pause", PAUSE, value, spoken=f"Pause {mailbox.address}"),
            ]
        case _:
            return []


def needs_a_person(mailbox: Mailbox) -> bool:
    """Whether something about this mailbox waits for somebody to act."""
    broken = (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE, MailboxStatus.PARTIAL)
    return mailbox.status in broken or mailbox.send_fault is not None
