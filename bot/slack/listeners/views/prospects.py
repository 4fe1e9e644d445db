"""What becomes of the windows around prospects, blocks and signatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.slack import prospect_ids as ids
from bot.slack.listeners.actions.office_buttons import OfficeButtons
from bot.slack.listeners.actions.person_buttons import PersonButtons
from bot.slack.listeners.actions.prospect_list_buttons import ProspectListButtons
from bot.slack.listeners.prospect_windows import ProspectWindows
from bot.slack.listeners.views.submission import Submission
from bot.slack.uses import Desk, Services


def prospect_submissions(desk: Desk, services: Services) -> Mapping[str, Submission[Any]]:
    """callback_id to what becomes of what was filled in."""
    outreach = services.outreach
    if outreach is None:
        return {}
    listed = ProspectListButtons(desk, outreach, ProspectWindows(outreach))
    person, office = PersonButtons(outreach), OfficeButtons(desk, outreach, services.mailboxes)
    return {
        ids.FILTER_FORM: Submission(listed.read_filter, listed.filtered, stays=True),
        ids.BULK_FORM: Submission(listed.read_bulk, listed.do, stays=True),
        ids.ADDRESS_FORM: Submission(person.read_address, person.change_address, stays=True),
        ids.BLOCK_FORM: Submission(office.read_block, office.block, stays=True),
        ids.UNBLOCK_FORM: Submission(office.read_unblock, office.unblock, stays=True),
        ids.SIGNATURE_FORM: Submission(office.read_signature, office.save_signature, stays=True),
    }
