"""Words from outside: cleaned, capped, escaped."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks.text import clean, escaped, local_time, mention, sentence, utc_time
from tests.unit.bot.facts import TEXTS

_ENTITY = re.compile(r"&(?:amp|lt|gt);")


@given(TEXTS, st.integers(1, 200))
def test_escaped_text_stays_in_its_limit_and_cuts_no_entity(text: str, limit: int) -> None:
    shown = escaped(text, limit)
    assert len(shown) <= limit
    assert "<" not in shown
    assert ">" not in shown
    assert "&" not in _ENTITY.sub("", shown)


@given(TEXTS, st.integers(1, 500), st.booleans())
def test_clean_text_is_printable_and_in_its_limit(text: str, limit: int, lines: bool) -> None:
    shown = clean(text, limit, lines=lines)
    assert len(shown) <= limit
    assert all(character.isprintable() or (lines and character == "\n") for character in shown)


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("a\u202eb\u2066c\u200bd", "abcd"),
        ("tab\there\r\nand\u2028there", "tab here and there"),
        ("bell\x07null\x00", "bellnull"),
        ("zalgo" + "\u0301" * 20, "zalgo" + "\u0301" * 3),
        ("Zoë Ångström 李", "Zoë Ångström 李"),
    ],
)
def test_invisible_and_direction_changing_characters_go(given_: str, shown: str) -> None:
    assert clean(given_, 100) == shown


def test_our_own_sentences_may_name_people_and_nothing_else() -> None:
    assert sentence("asked by <@U0RITA> <!channel>", 100) == "asked by <@U0RITA> &lt;!channel&gt;"


def test_times_are_local_with_utc_for_those_who_cannot_see_it() -> None:
    assert (
        local_time("2026-11-21T09:30:00Z") == "<!date^1795253400^{date_short_pretty} at {time}|21 Nov 2026 09:30 UTC>"
    )
    assert utc_time("2026-11-01T09:30:00+01:00") == "1 Nov 2026 08:30 UTC"


@pytest.mark.parametrize("nonsense", [None, "", "yesterday", "2026-13-01", "<!channel>"])
def test_a_time_that_is_none_is_never(nonsense: str | None) -> None:
    assert local_time(nonsense) == "never"


@pytest.mark.parametrize(
    ("user", "words"),
    [("U0RITA", "<@U0RITA>"), ("operator", "an operator"), (None, "somebody"), ("<!here>", "somebody")],
)
def test_who_acted_is_named_safely(user: str | None, words: str) -> None:
    assert mention(user) == words
