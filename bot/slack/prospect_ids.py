"""Names of what can be pressed around prospects, the Email Log, blocks and stops. Their values are as everywhere."""

from __future__ import annotations

from typing import Final

LIST_OPEN: Final = "prospects.open"
LIST_FAILED: Final = "prospects.open_failed"
LIST_PREVIOUS: Final = "prospects.previous"
LIST_NEXT: Final = "prospects.next"
LIST_STATUS: Final = "prospects.status"
LIST_FILTER: Final = "prospects.filter"
LIST_BACK: Final = "prospects.back"
TICK: Final = "prospects.tick"
WHICH: Final = "prospects.which"
BULK_RETRY: Final = "prospects.bulk_retry"
BULK_FINISH: Final = "prospects.bulk_finish"
BULK_EXPORT: Final = "prospects.bulk_export"
BULK_MORE: Final = "prospects.bulk_more"

PERSON_OPEN: Final = "person.open"
PERSON_PAUSE: Final = "person.pause"
PERSON_UNPAUSE: Final = "person.unpause"
PERSON_SKIP: Final = "person.skip"
PERSON_RETRY: Final = "person.retry"
PERSON_RETRY_ANYWAY: Final = "person.retry_anyway"
PERSON_FINISH: Final = "person.finish"
PERSON_UNDO: Final = "person.undo"
PERSON_REMOVE: Final = "person.remove"
PERSON_MORE: Final = "person.more"
PERSON_ADDRESS: Final = "person.address"

LOG_OPEN: Final = "log.open"
LOG_PREVIOUS: Final = "log.previous"
LOG_NEXT: Final = "log.next"
LOG_STATUS: Final = "log.status"
LOG_CANCEL: Final = "log.cancel"
LOG_RETRY: Final = "log.retry"

BLOCK_ADD: Final = "block.add"
BLOCK_REMOVE: Final = "block.remove"
STOP_EVERYTHING: Final = "holds.stop_everything"
RESUME_EVERYTHING: Final = "holds.resume_everything"
COME_BACK: Final = "holds.back"

ONLY_NOTED: Final = (TICK, WHICH)
"""Ticks and choices that count when a button is pressed: Slack wants them acknowledged, and no more."""

FILTER_FORM: Final = "prospects.filter"
BULK_FORM: Final = "prospects.bulk"
ADDRESS_FORM: Final = "person.address"
BLOCK_FORM: Final = "block.add"
UNBLOCK_FORM: Final = "block.remove"
SIGNATURE_FORM: Final = "mailbox.signature"
WINDOW: Final = "prospects.window"
"""A window without anything to send off."""
