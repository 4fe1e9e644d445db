"""What can be pressed where a mailbox is broken. Pure."""

from __future__ import annotations

from bot.slack.action_ids import RECONNECT
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Json


def mend_buttons(address: str, value: str, fix: str, *, resync: str) -> Json:
    """Resync (by the action id ``resync``) and Reconnect; the one that ``fix`` tells the reader to press stands out."""
    reconnect = "Reconnect" in fix and "Resync" not in fix
    return kit.actions(
        kit.button("Resync", resync, value, style=None if reconnect else "primary", spoken=f"Resync {address}"),
        kit.button(
            "Reconnect",
            RECONNECT,
            value,
            style="primary" if reconnect else None,
            spoken=f"Reconnect {address} with a new password",
        ),
    )
