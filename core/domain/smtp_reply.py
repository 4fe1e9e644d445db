"""SMTP refusals to verdicts: for answers at submission and the texts inside delivery reports. Pure, never raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.domain.smtp_codes import EXACT_CODES, GENERAL_CODES, REPLY_CODES
from core.domain.smtp_rules import PATTERNS
from core.domain.taxonomy import Topic, prospect_effect

MAX_REPLY: Final = 4_096

_ENHANCED: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_REPLY_CODE: Final = re.compile(r"(?<![\d.])([245]\d\d)(?=[ \-:;]|$)")
# "550-5.7.1 first line 550-5.7.1 second": the code again at each line of a multi-line answer.
_REPEATED_CODE: Final = re.compile(r"(?<![\d.])([45]\d\d)-(?:([45]\.\d{1,3}\.\d{1,3}) )?")
# IronPort puts a phrase of its own before the answer it quotes: 5.3.0 - Other mail system problem 550-'...'.
_WRAPPED: Final = re.compile(r"^[45]\.\d\.\d - [A-Za-z /]{3,60} ([245]\d\d[ -]'.+)", re.DOTALL)
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class SmtpVerdict:
    """What a server's answer means.

    ``klass`` is the class; ``topic`` the row of the taxonomy, more exact where that matters; ``status`` the enhanced
    code (RFC 3463) or the empty string; ``code`` the reply code or 0; ``transient`` whether the server itself would
    take another try.
    """

    klass: str
    topic: str
    status: str
    code: int
    transient: bool

    @property
    def effect(self) -> Topic:
        """What it does to a prospect when met at submission."""
        return prospect_effect(self.topic, transient=self.transient)

    @property
    def fix(self) -> str:
        """What happened and what to do, in a recruiter's words."""
        return self.effect.fix


def classify_reply(answer: str | tuple[int, str], *, status: str = "") -> SmtpVerdict:
    """Judges a server's answer: a line or several joined, or (code, text). ``status`` is a code known from elsewhere,
    such as the Status field of a delivery report; the answer's own is preferred where it says more (rule a)."""
    code, text = answer if isinstance(answer, tuple) else (0, answer)
    text = text[:MAX_REPLY]
    code = code or reply_code(text)
    enhanced = best_status(text, status)
    quoted = _WRAPPED.match(text.strip())
    flat = flatten(quoted[1] if quoted else text)
    topic = _topic(flat, enhanced, code)
    transient = code // 100 == 4 if code else enhanced.startswith("4")
    return SmtpVerdict(prospect_effect(topic).klass, topic, enhanced, code, transient)


def flatten(text: str) -> str:
    """An answer as the patterns want it: lower case, single spaces, the codes of continuation lines taken out."""
    return _SPACES.sub(" ", _REPEATED_CODE.sub(r"\1 ", text)).replace("’", "'").lower().strip()


def reply_code(text: str) -> int:
    """The first SMTP reply code in ``text``, 0 where there is none."""
    match = _REPLY_CODE.search(text)
    return int(match[1]) if match else 0


def best_status(text: str, status: str = "") -> str:
    """The most telling enhanced code of an answer and of ``status``; the empty string where neither has one."""
    known = _ENHANCED.search(status)
    found = [code for code in _ENHANCED.findall(text) if not code.endswith(".0.0")]
    if found:
        return str(found[-1] if known is None or known[1].endswith(".0.0") else _closer(found, known[1]))
    if known:
        return str(known[1])
    vague = _ENHANCED.search(text)
    return vague[1] if vague else ""


def _closer(found: list[str], known: str) -> str:
    return known if known in found else found[-1]


def _topic(flat: str, status: str, code: int) -> str:
    exact = EXACT_CODES.get(status)
    if exact:
        return exact
    for topic, pattern in PATTERNS:
        if pattern.search(flat):
            return topic
    subject = status[2:]
    if subject in GENERAL_CODES:
        return GENERAL_CODES[subject]
    return REPLY_CODES.get(code, "unknown")
