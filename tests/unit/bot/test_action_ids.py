"""Button values: what goes out comes back, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import action_ids
from bot.slack.action_ids import ButtonValue, decode, encode
from core.errors import RefusedError

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(IDS, st.integers(0, 999_999_999))
def test_a_value_comes_back_as_it_went(identifier: str, version: int) -> None:
    value = encode(identifier, version)
    assert decode(value) == ButtonValue(identifier, version)
    assert len(value) <= 76


@given(
    st.one_of(
        st.text(max_size=200).filter(lambda text: not text.startswith("1:")), st.none(), st.integers(), st.binary()
    )
)
def test_anything_else_is_refused_with_a_sentence(value: object) -> None:
    with pytest.raises(RefusedError, match="older message") as refused:
        decode(value)
    assert refused.value.fix


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0:abc:1",
        "2:abc:1",
        "1:abc",
        "1:abc:",
        "1::1",
        "1:abc:1\n",
        "1:a b:1",
        "1:abc:-1",
        "1:abc:١",
        "1:" + "a" * 65 + ":1",
    ],
)
def test_foreign_and_old_values_are_refused(value: str) -> None:
    with pytest.raises(RefusedError):
        decode(value)


@pytest.mark.parametrize("identifier", ["", "a b", "a:b", "é", "a" * 65])
def test_an_id_that_could_not_come_back_is_not_sent(identifier: str) -> None:
    with pytest.raises(ValueError, match="button"):
        encode(identifier)


def test_no_two_buttons_share_a_name() -> None:
    assert len(set(action_ids.ALL)) == len(action_ids.ALL)
    assert all(len(name) <= 255 for name in action_ids.ALL)
