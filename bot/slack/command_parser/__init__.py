"""What a person typed after /mailbox or /outreach, as a typed request or a hint. Pure.

``VERBS`` is the one list of what is offered: help, the manifest's usage hints and the parser all read it.
"""

from __future__ import annotations

from typing import Final

from bot.slack.command_parser import mailbox as _mailbox
from bot.slack.command_parser import outreach as _outreach
from bot.slack.command_parser.grammar import MAILBOX, MOST_CHARACTERS, OUTREACH, Help, Hint, Verb, usage, verb_of
from bot.slack.command_parser.mailbox import (
    ChangeSetting,
    CheckDomain,
    ConnectMailbox,
    DisconnectMailbox,
    EditSignature,
    EscalateMailbox,
    MailboxLog,
    MailboxRequest,
    MailboxStatus,
    PauseMailbox,
    RefreshMailbox,
    ResumeMailbox,
    ResyncMailbox,
    ShowSettings,
    SwitchMailbox,
    TryMailbox,
)
from bot.slack.command_parser.outreach import (
    AddPeople,
    ArchiveCampaign,
    Away,
    Back,
    Block,
    DuplicateCampaign,
    ExportCampaign,
    ImportFile,
    LimitsLeft,
    ListCampaigns,
    MovePeople,
    NewCampaign,
    OpenCampaign,
    OutreachRequest,
    OutreachStatus,
    PauseCampaign,
    PreflightCampaign,
    ReportCampaign,
    ResumeEverything,
    RetryCampaign,
    RetryPerson,
    ShowLog,
    ShowPerson,
    StartCampaign,
    StopCampaign,
    StopEverything,
    TestLetter,
)

VERBS: Final[dict[str, tuple[Verb, ...]]] = {MAILBOX: _mailbox.VERBS, OUTREACH: _outreach.VERBS}

__all__ = [
    "MAILBOX",
    "MOST_CHARACTERS",
    "OUTREACH",
    "VERBS",
    "AddPeople",
    "ArchiveCampaign",
    "Away",
    "Back",
    "Block",
    "ChangeSetting",
    "CheckDomain",
    "ConnectMailbox",
    "DisconnectMailbox",
    "DuplicateCampaign",
    "EditSignature",
    "EscalateMailbox",
    "ExportCampaign",
    "Help",
    "Hint",
    "ImportFile",
    "LimitsLeft",
    "ListCampaigns",
    "MailboxLog",
    "MailboxRequest",
    "MailboxStatus",
    "MovePeople",
    "NewCampaign",
    "OpenCampaign",
    "OutreachRequest",
    "OutreachStatus",
    "PauseCampaign",
    "PauseMailbox",
    "PreflightCampaign",
    "RefreshMailbox",
    "ReportCampaign",
    "ResumeEverything",
    "ResumeMailbox",
    "ResyncMailbox",
    "RetryCampaign",
    "RetryPerson",
    "ShowLog",
    "ShowPerson",
    "ShowSettings",
    "StartCampaign",
    "StopCampaign",
    "StopEverything",
    "SwitchMailbox",
    "TestLetter",
    "TryMailbox",
    "Verb",
    "parse_mailbox",
    "parse_outreach",
    "usage",
]


def parse_mailbox(text: str) -> MailboxRequest:
    """The request in the text after /mailbox; a Hint where it cannot be understood."""
    verb, arguments = verb_of(MAILBOX, _mailbox.VERBS, _outreach.VERBS, text)
    return verb if isinstance(verb, Help | Hint) else _mailbox.READERS[verb.name](arguments)


def parse_outreach(text: str) -> OutreachRequest:
    """The request in the text after /outreach; a Hint where it cannot be understood."""
    verb, arguments = verb_of(OUTREACH, _outreach.VERBS, _mailbox.VERBS, text)
    return verb if isinstance(verb, Help | Hint) else _outreach.READERS[verb.name](arguments)
