"""Everything that reads a mail's bytes, under one name. Pure.

``parse_header`` is the sync's hot path; ``parse_message`` reads a whole mail within bounds; ``base_subject`` and
``visible_reply`` serve matching and the cards.
"""

from core.domain.header import parse_header
from core.domain.mime_parts import ParsedMessage, Part, ReportPart, parse_message
from core.domain.reply_text import visible_reply
from core.domain.subject import base_subject

__all__ = [
    "ParsedMessage",
    "Part",
    "ReportPart",
    "base_subject",
    "parse_header",
    "parse_message",
    "visible_reply",
]
