"""What in a campaign's mails may cost their place in the inbox, with weights (R100, R162, R187, R192..R196, X4). Pure.

Weights come from the rules of SpamAssassin (``rules/50_scores.cf``) and rspamd (``rules/``, ``conf/scores.d``) where
they have one for the matter; those marked "ours" are judgement. They are summed per mail and held against 5.0, the
score from which SpamAssassin calls a mail spam by default. That is a measure, no forecast: a filter sees the sender's
reputation as well, and knows words of its own.
"""

from core.domain.content_lint.campaign_rules import BULK_FROM, SENDER_FIELDS, STANDARD_FIELDS, lint
from core.domain.content_lint.findings import THRESHOLD, WARN_FROM, Finding, Severity, score, severity
from core.domain.content_lint.mail_rules import Envelope, lint_mail

__all__ = [
    "BULK_FROM",
    "SENDER_FIELDS",
    "STANDARD_FIELDS",
    "THRESHOLD",
    "WARN_FROM",
    "Envelope",
    "Finding",
    "Severity",
    "lint",
    "lint_mail",
    "score",
    "severity",
]
