"""Return dates of out-of-office notes, in the languages recruiters meet. Pure, linear in at most 8 KB of text.

A date counts where words beside it speak of coming back ("back on 5 May", "ab dem 5. Mai wieder") or of an end
("until", "jusqu'au"). Dates without such words are ignored: a wrong hold is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

MAX_TEXT: Final = 8_192
MAX_DAYS_AHEAD: Final = 100

# Names by the first letters that tell them apart, so that inflected forms match as well.
_MONTHS: Final[tuple[str, ...]] = (
    "january|jan|januar|jänner|janvier|enero|gennaio|janeiro|januari|tammikuu|styczeń|stycznia|leden|ledna|января|sty",
    "february|feb|februar|février|febrero|febbraio|fevereiro|februari|helmikuu|lutego|luty|února|февраля|fév|fev",
    "march|mar|märz|mars|marzo|março|maart|marts|maaliskuu|marca|marzec|března|марта|mrt|mär|mrz",
    "april|apr|avril|abril|aprile|huhtikuu|kwietnia|kwiecień|dubna|апреля|avr|abr",
    "may|mai|mayo|maggio|maio|mei|maj|toukokuu|maja|května|мая|mag",
    "june|jun|juni|juin|junio|giugno|junho|kesäkuu|czerwca|czerwiec|června|июня|giu",
    "july|jul|juli|juillet|julio|luglio|julho|heinäkuu|lipca|lipiec|července|июля|juil|lug",
    "august|aug|août|aout|agosto|augustus|augusti|elokuu|sierpnia|sierpień|srpna|августа|ago",
    "september|sept|sep|septembre|septiembre|settembre|setembro|syyskuu|września|wrzesień|září|сентября|set",
    "october|oct|oktober|octobre|octubre|ottobre|outubro|oktobre|lokakuu|października|października|října|октября|okt|ott",
    "november|nov|novembre|noviembre|novembro|marraskuu|listopada|listopad|listopadu|ноября",
    "december|dec|dezember|décembre|diciembre|dicembre|dezembro|joulukuu|grudnia|grudzień|prosince|декабря|dez|déc|dic",
)
_MONTH_NUMBER: Final = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split("|")}
_MONTH: Final = "|".join(sorted(_MONTH_NUMBER, key=len, reverse=True))

_WEEKDAYS: Final[tuple[str, ...]] = (
    "monday|montag|lundi|lunes|lunedì|lunedi|maandag|segunda|måndag|mandag|maanantai|poniedziałek|poniedziałku",
    "tuesday|dienstag|mardi|martes|martedì|martedi|dinsdag|terça|tisdag|tirsdag|tiistai|wtorek",
    "wednesday|mittwoch|mercredi|miércoles|mercoledì|mercoledi|woensdag|quarta|onsdag|keskiviikko|środa|środę",
    "thursday|donnerstag|jeudi|jueves|giovedì|giovedi|donderdag|quinta|torsdag|torstai|czwartek",
    "friday|freitag|vendredi|viernes|venerdì|venerdi|vrijdag|sexta|fredag|perjantai|piątek",
    "saturday|samstag|samedi|sábado|sabato|zaterdag|lördag|lørdag|lauantai|sobota|sobotę",
    "sunday|sonntag|dimanche|domingo|domenica|zondag|söndag|søndag|sunnuntai|niedziela|niedzielę",
)
_WEEKDAY_NUMBER: Final = {name: number for number, names in enumerate(_WEEKDAYS) for name in names.split("|")}
_WEEKDAY: Final = "|".join(sorted(_WEEKDAY_NUMBER, key=len, reverse=True))

_MENTION: Final = re.compile(
    rf"(?P<iso>\b20\d\d-\d\d-\d\d)|"
    rf"\b(?P<d1>\d{{1,2}})(?P<sep>[./-])(?P<d2>\d{{1,2}})(?:(?P=sep)(?P<dy>(?:20)?\d\d)\b)?|"
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|ª|\.|-?е)?(?: de| of| d')? ?(?P<month>{_MONTH})(?:ta|n)?\b\.?"
    rf"(?:,? (?:de )?(?P<year>20\d\d))?|"
    rf"\b(?P<month2>{_MONTH})\b\.? (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year2>20\d\d))?|"
    rf"(?P<cjk>(?:(?P<cy>20\d\d)年)?(?P<cm>\d{{1,2}})月(?P<cd>\d{{1,2}})日)|"
    rf"\b(?P<weekday>{_WEEKDAY})\b|"
    r"\b(?P<word>tomorrow|morgen|demain|mañana|domani|amanhã|imorgon|i morgen|huomenna|jutro)\b",
    re.IGNORECASE,
)

_BACK: Final = re.compile(
    r"\bback\b|return|resum|available (?:again|from)|in the office (?:again )?(?:on|from)|again (?:on|from)|"
    r"reply (?:on|after)|"
    r"wieder|zurück|\bab (?:dem|montag|\d)|erreichbar ab|de retour|retour|reprend|vuelvo|vuelta|regres|reincorpor|"
    r"rientr|torn(?:o|erò)|di nuovo|terug|weer|volt(?:o|arei)|retorn|tillbaka|åter|tilbake|tilbage|igen|takaisin|"
    r"palaan|wracam|wróc|powrót|powrot|вернусь|буду|復帰|返回|enddate",
    re.IGNORECASE,
)
_UNTIL: Final = re.compile(
    r"until|\btill?\b|through|\bto\b|\bbis\b|jusqu|\bau\b|hasta|\bal\b|fino|\btot\b|t/m|\baté\b|\bao?\b|\btill\b|"
    r"t\.?o\.?m\.?|\btil\b|indtil|\basti\b|saakka|\bdo\b|\bпо\b|\bдо\b|[-–—]\s{0,2}$|まで|至",
    re.IGNORECASE,
)
_INCLUSIVE: Final = re.compile(
    r"through|inclu|einschl|inkl|t/m|t\.?o\.?m\.?|compris|til og med|till och med|включительно", re.IGNORECASE
)
_BACK_AFTER: Final = re.compile(
    r"wieder|zurück|terug|tillbaka|tilbake|tilbage|igen|åter|takaisin|de retour|\bback\b|again|復帰|返回", re.IGNORECASE
)
_SENTENCE_END: Final = re.compile(r"[!?\n]|\.\s+(?=[A-ZÄÖÜÉ])")


@dataclass(frozen=True, slots=True)
class _Mention:
    day: date
    start: int
    end: int


def return_date(text: str, sent_at: datetime) -> date | None:
    """The day on which the writer is back, read from an out-of-office note sent at ``sent_at`` (aware).

    Only days after the sending and at most 100 ahead count; None where the note names none.
    """
    text = text[:MAX_TEXT]
    sent = sent_at.date()
    # Writers west of Greenwich put the month first in 5/6/2026; the zone of the Date field tells.
    offset = sent_at.utcoffset() or timedelta()
    mentions = list(_mentions(text, sent, month_first=offset <= timedelta(hours=-3)))
    back: list[date] = []
    until: list[date] = []
    for index, mention in enumerate(mentions):
        before = _near(text[max(0, mentions[index - 1].end if index else 0, mention.start - 60) : mention.start])
        limit = mentions[index + 1].start if index + 1 < len(mentions) else len(text)
        after = _SENTENCE_END.split(text[mention.end : min(limit, mention.end + 40)], maxsplit=1)[0]
        if not sent < mention.day <= sent + timedelta(days=MAX_DAYS_AHEAD):
            continue
        if _BACK.search(before) or (_BACK_AFTER.search(after) and not _UNTIL.search(before[-12:])):
            back.append(mention.day)
        elif _UNTIL.search(before[-25:]):
            inclusive = _INCLUSIVE.search(before[-40:]) or _INCLUSIVE.search(after[:20])
            until.append(mention.day + timedelta(days=1 if inclusive else 0))
    return back[0] if back else max(until, default=None)


def _near(before: str) -> str:
    """The words before a date that belong to its sentence."""
    return _SENTENCE_END.split(before)[-1]


def _mentions(text: str, sent: date, *, month_first: bool) -> Iterator[_Mention]:
    for match in _MENTION.finditer(text):
        day = _day(match, sent, month_first=month_first)
        if day is not None:
            yield _Mention(day, match.start(), match.end())


def _day(match: re.Match[str], sent: date, *, month_first: bool) -> date | None:
    group = match.groupdict()
    try:
        if group["iso"]:
            return date.fromisoformat(group["iso"])
        if group["d1"]:
            return _numeric(group, sent, month_first=month_first)
        if group["month"]:
            return _dated(group["year"], _MONTH_NUMBER[group["month"].lower()], int(group["day"]), sent)
        if group["month2"]:
            return _dated(group["year2"], _MONTH_NUMBER[group["month2"].lower()], int(group["day2"]), sent)
        if group["cjk"]:
            return _dated(group["cy"], int(group["cm"]), int(group["cd"]), sent)
    except (ValueError, KeyError):
        return None
    if group["weekday"]:
        ahead = (_WEEKDAY_NUMBER[group["weekday"].lower()] - sent.weekday() - 1) % 7 + 1
        return sent + timedelta(days=ahead)
    return sent + timedelta(days=1)


def _numeric(group: dict[str, str | None], sent: date, *, month_first: bool) -> date | None:
    first, second = int(group["d1"] or 0), int(group["d2"] or 0)
    year = group["dy"]
    if group["sep"] == "-" and year is None:
        return None
    american = second > 12 or (month_first and group["sep"] == "/" and first <= 12)
    day, month = (second, first) if american else (first, second)
    full_year = f"20{year}" if year and len(year) == 2 else year
    return _dated(full_year, month, day, sent)


def _dated(year: str | None, month: int, day: int, sent: date) -> date:
    """The day; without a year the next one that is not long past."""
    if year:
        return date(int(year), month, day)
    this_year = date(sent.year, month, day)
    return this_year if this_year >= sent - timedelta(days=60) else date(sent.year + 1, month, day)
