"""Tokens in links: only what we signed is read, and only as what it was signed for."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.tracking_token import LONGEST, LONGEST_TARGET, LinkKind, Token, TokenSigner

OLD, NEW = "an old secret key of thirty-two characters", "a new secret key of thirty-two characters"
SIGNER = TokenSigner([OLD])
CLICK = Token(LinkKind.CLICK, "T1", "0199e0a0-0000-7000-8004-000000000001", "https://agency.test/role?id=7&x=å")


def written(token: Token, signer: TokenSigner = SIGNER) -> str:
    text = signer.write(token)
    assert text is not None
    return text


def test_a_token_says_what_was_signed() -> None:
    """And fits a URL as it is."""
    text = written(CLICK)
    assert SIGNER.read(text, LinkKind.CLICK) == CLICK
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


def test_an_open_is_short() -> None:
    """A tracking picture stands in every mail."""
    assert len(written(Token(LinkKind.OPEN, "T0123456789", CLICK.delivery_id))) < 100


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_bit_is_noticed_wherever_it_is(at: int, flip: int) -> None:
    """HMAC over everything, the kind and the workspace too."""
    text = written(CLICK)
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[at % len(raw)] ^= flip
    assert SIGNER.read(base64.urlsafe_b64encode(raw).decode().rstrip("="), LinkKind.CLICK) is None


@pytest.mark.parametrize("kind", [LinkKind.OPEN, LinkKind.FILE, LinkKind.UNSUBSCRIBE])
def test_a_token_is_good_for_its_own_kind_only(kind: LinkKind) -> None:
    """The link of a click unsubscribes nobody."""
    assert SIGNER.read(written(CLICK), kind) is None


def test_old_links_outlive_a_change_of_keys() -> None:
    """The first key signs, all verify; a key that is gone takes its links with it."""
    both = TokenSigner([NEW, OLD])
    assert both.read(written(CLICK), LinkKind.CLICK) == CLICK
    assert TokenSigner([NEW]).read(written(CLICK, both), LinkKind.CLICK) == CLICK
    assert TokenSigner([NEW]).read(written(CLICK), LinkKind.CLICK) is None


@given(st.text(max_size=300))
def test_nonsense_is_no_token(text: str) -> None:
    """Whatever stands in the path."""
    assert SIGNER.read(text, LinkKind.CLICK) is None


def test_what_is_too_long_is_neither_written_nor_read() -> None:
    """A bounded amount of work for whoever asks."""
    assert SIGNER.write(Token(LinkKind.CLICK, "T1", "d1", "h" * (LONGEST_TARGET + 1))) is None
    assert SIGNER.read("A" * (LONGEST + 1), LinkKind.CLICK) is None
    longest = Token(LinkKind.CLICK, "T1", "d1", "h" * LONGEST_TARGET)
    assert SIGNER.read(written(longest), LinkKind.CLICK) == longest


@pytest.mark.parametrize("target", ["a\nb", "half \ud83d"])
def test_what_cannot_be_read_back_is_not_written(target: str) -> None:
    """No token is ambiguous."""
    assert SIGNER.write(Token(LinkKind.FILE, "T1", "d1", target)) is None


def test_a_signer_without_keys_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="secret key"):
        TokenSigner([])
