"""Words that spam filters and people take amiss, with what each costs and what to write instead. Pure data and regexes.

Weights follow SpamAssassin's rules (``rules/50_scores.cf``) where it has one for the words; the others are ours and
stay small, because one such word is no crime and only several together cost a place in the inbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Phrase:
    """``pattern`` finds it, ``name`` is what people are told, ``fix`` what they may write instead."""

    code: str
    weight: float
    pattern: re.Pattern[str]
    name: str
    fix: str


def _phrase(code: str, weight: float, words: str, name: str, fix: str, *, case: bool = False) -> Phrase:
    return Phrase(code, weight, re.compile(rf"(?<!\w)(?:{words})(?!\w)", 0 if case else re.IGNORECASE), name, fix)


_BY_NAME: Final = "Write to the person: “Hi {{first_name}}”."

GREETINGS: Final = (
    _phrase(
        "dear_something",
        2.0,  # SpamAssassin DEAR_SOMETHING, 1.7 to 2.0: its list holds "candidate"
        r"dear\s+(?:candidates?|sirs?(?:\s*(?:/|or)\s*madam)?|madam|applicants?|job\s?seekers?|professionals?|investors?|"
        r"members?|users?|customers?|all)",
        "opens with “Dear …” and no name",
        _BY_NAME,
    ),
    _phrase(
        "dear_something", 2.0, r"[Dd]ear\s+IT|DEAR\s+IT", "opens with “Dear IT …” and no name", _BY_NAME, case=True
    ),
    _phrase(
        "dear_friend",
        2.6,  # SpamAssassin DEAR_FRIEND, 1.8 to 2.7
        r"dear\s+(?:my\s+)?friends?",
        "opens with “Dear friend”",
        _BY_NAME,
    ),
    _phrase(
        "dear_name",
        0.2,  # R193 names "Dear"; no filter counts it before a name
        r"dear(?=\s+\{\{)",
        "opens with “Dear”",
        "“Hi {{first_name}}” reads as a person; keep “Dear” where the country expects it.",
    ),
)

TRIGGERS: Final = (
    _phrase(
        "money",
        1.5,
        r"make (?:\w+ )?money|earn (?:extra|easy|quick|fast|big) (?:money|cash|income)|get rich|easy money|extra cash|"
        r"double your (?:income|salary)|financial freedom|be your own boss|work from home and earn",
        "promises money",
        "Name the pay as a range, or leave it for the call.",
    ),
    _phrase(
        "not_spam",
        1.5,
        r"(?:this is |it'?s |is )?not (?:a )?spam|not junk mail|no spam,? (?:we )?promise",
        "says that it is not spam",
        "Leave it out: only spam says so.",
    ),
    _phrase(
        "removal",
        2.0,  # SpamAssassin EXCUSE_4, 1.3 to 2.4
        r"to be removed,? please|remove yourself from|"
        r"(?:be|get) removed from (?:this|our|my|the|all) (?:mailing |e-?mail |contact )?(?:lists?|e-?mails?)",
        "has the wording “to be removed …”",
        "Write “If this is not for you, tell me and I will not write again”, or use the unsubscribe link.",
    ),
)

_GENTLER: Final = "Say plainly what the role is and why it may suit this person."

# Each different one counts once, up to MOST_PROMOTION together.
PROMOTION: Final = _phrase(
    "promotion",
    0.6,
    r"act (?:now|fast|immediately)|limited[- ]time|once[- ]in[- ]a[- ]lifetime|don'?t miss (?:out|this)|hurry(?: up)?|"
    r"last chance|risk[- ]free|no obligation|guaranteed|100 ?% (?:free|satisfied)|click (?:here|below)(?: now)?|"
    r"(?:amazing|incredible) (?:offer|opportunity|deal)|(?:exclusive|special) (?:offer|deal)|congratulations,? you|"
    r"you(?: ha|')ve been (?:selected|chosen)|you are a winner|free gift|cash bonus|best price|"
    r"(?:order|apply|call|buy|sign up) now|unbeatable|dream job awaits|life[- ]changing|too good to be true|"
    r"million dollars?|\${2,}|€{2,}|£{2,}",
    "sounds like an advertisement",
    _GENTLER,
)
MOST_PROMOTION: Final = 3.0

SALESY_SUBJECT: Final = _phrase(
    "salesy_subject",
    1.0,
    r"urgent(?:ly)?|act (?:now|fast)|hurry|last chance|limited[- ]time|for free|free (?:gift|offer|trial)|guaranteed|"
    r"amazing|incredible|exclusive offer|congratulations,? you|winner|apply now|dream job|"
    r"immediate(?:ly)? (?:hiring|joiners?|start)|hiring now|\${2,}|€{2,}|£{2,}",
    "the subject sounds like a sale",
    "Name the role and why it fits: “{{first_name}}, a backend role in Leeds”.",
)

WAY_OUT: Final = re.compile(
    r"unsubscrib|opt[- ]?out|not (?:hear|write|contact|e-?mail|message)|stop (?:writing|e-?mailing|messages)|"
    r"won'?t (?:write|contact|e-?mail|bother|reach)|prefer not to|abmelden|abbestell|désabonn|désinscri|darse de baja|"
    r"disiscri|afmeld",
    re.IGNORECASE,
)
"""Any wording by which people can say that they want no more mail."""

SHORTENERS: Final = frozenset(
    "bit.ly bitly.com tinyurl.com goo.gl ow.ly is.gd buff.ly rebrand.ly cutt.ly rb.gy shorturl.at t.ly lnkd.in t.co "
    "tiny.cc v.gd s.id bl.ink short.io shorte.st adf.ly soo.gd trib.al dlvr.it fb.me".split()
)
