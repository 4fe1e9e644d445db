"""When an out-of-office note says its writer is back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.return_dates import return_date

SENT = datetime(2026, 11, 2, 9, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("I'm away until 12 November and will reply then.", date(2026, 11, 12)),
        ("I will be back on November 12th.", date(2026, 11, 12)),
        ("Out of office (1-8 November). Returning 9 November.", date(2026, 11, 9)),
        ("I am on leave from 1 Nov to 15 Nov 2026.", date(2026, 11, 15)),
        ("I am out through 13 November.", date(2026, 11, 14)),
        ("Back on Monday.", date(2026, 11, 9)),
        ("back tomorrow", date(2026, 11, 3)),
        ("returning 2026-11-20", date(2026, 11, 20)),
        ("Ich bin vom 1.11. bis 12.11. abwesend und ab dem 13.11. wieder erreichbar.", date(2026, 11, 13)),
        ("Ich bin bis einschließlich 12.11.2026 nicht im Büro.", date(2026, 11, 13)),
        ("Je suis absent jusqu'au 20 novembre inclus.", date(2026, 11, 21)),
        ("Je serai de retour le lundi 9 novembre 2026.", date(2026, 11, 9)),
        ("Estaré fuera hasta el 15 de noviembre.", date(2026, 11, 15)),
        ("Sono fuori ufficio fino al 18 novembre.", date(2026, 11, 18)),
        ("Ik ben afwezig t/m 10 november en terug op 11 november.", date(2026, 11, 11)),
        ("Volto no dia 23 de novembro.", date(2026, 11, 23)),
        ("Jag är tillbaka den 9 november.", date(2026, 11, 9)),
        ("Jeg er tilbage mandag d. 9. november.", date(2026, 11, 9)),
        ("Palaan töihin 9. marraskuuta.", date(2026, 11, 9)),
        ("Wracam 9 listopada.", date(2026, 11, 9)),
        ("11月9日に復帰します", date(2026, 11, 9)),
        ("Closed 24/12/2026 - 2/1/2027; back 4/1/2027", date(2027, 1, 4)),
        ("I am out until 1 May.", None),
        ("I'll be back on 1 November.", None),
        ("back in 2027, on 20 May 2027", None),
        ("Call me on 12.11.2026-4711.", None),
        ("back on 31 February", None),
        ("I am away.", None),
        ("", None),
    ],
)
def test_the_day_of_return_is_read(note: str, expected: date | None) -> None:
    """Days past or more than 100 ahead do not count, nor do dates that say nothing of coming back."""
    assert return_date(note, SENT) == expected


def test_the_month_comes_first_where_the_clock_is_american() -> None:
    """11/12 is read by the zone of the mail's own date."""
    west = SENT.astimezone(timezone(timedelta(hours=-5)))
    assert return_date("back 11/12/2026", west) == date(2026, 11, 12)
    assert return_date("back 11/12/2026", SENT) == date(2026, 12, 11)


@given(st.text(), st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_no_text_makes_it_raise(note: str, sent: datetime) -> None:
    """And what comes out lies ahead."""
    found = return_date(f"back {note}", sent)
    assert found is None or 0 < (found - sent.date()).days <= 101
