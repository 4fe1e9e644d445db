"""Diagnosis in the face of anything: it never raises, never blames a password for noise, and stays fast."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.diagnosis import CAUSES, LAYERS, UNKNOWN, CauseClass, Failure, Who, diagnose
from core.domain.diagnosis.imap_signatures import BY_WORDS
from core.domain.diagnosis.normalise import MAX_LENGTH

_HOSTS = ["", "imap.gmail.com", "outlook.office365.com", "imap.mail.yahoo.com", "imap.mail.me.com", "mail.agency.test"]
_LAYERS = st.sampled_from([*LAYERS, "other"])
_PREFIXES = st.sampled_from(
    ["", "* NO ", "A1 NO ", "* BYE ", "A1 BAD ", "535 ", "535 5.7.139 ", "550 ", "421 ", "AADSTS1: "]
)
# No vowels: no word of any language a server speaks can come out by chance.
_NOISE = st.text(alphabet=string.digits[:2] + "bcdfghjklmnpqrstvwxz [](){}'\"<>#@/\\.,:;-\n\t\x00é漢🙂", max_size=300)


@given(
    layer=_LAYERS,
    raw=st.text(max_size=600),
    host=st.sampled_from(_HOSTS) | st.text(max_size=40),
    code=st.none() | st.integers(),
)
@example(layer="imap", raw="+ " + "ey" + "A" * 5000, host="", code=None)
@example(layer="oauth", raw='{"error_codes":[' + "9" * 4000, host="", code=None)
@example(layer="smtp", raw="5.7.8" * 500, host="[", code=-1)
def test_any_text_gets_a_verdict(layer: str, raw: str, host: str, code: int | None) -> None:
    """Whatever a server or an attacker says."""
    verdict = diagnose(Failure(layer, raw, host, code))
    assert verdict.cause in {*CAUSES, UNKNOWN}
    assert verdict.klass in {klass.value for klass in CauseClass}
    assert verdict.who in {who.value for who in Who}
    assert verdict.fix
    assert verdict.raw == raw


@given(layer=_LAYERS, prefix=_PREFIXES, noise=_NOISE, host=st.sampled_from(_HOSTS))
def test_noise_never_becomes_a_wrong_password(layer: str, prefix: str, noise: str, host: str) -> None:
    """Unknown words after any kind of refusal."""
    assert diagnose(Failure(layer, prefix + noise, host)).cause != "credentials_rejected"


@given(
    layer=st.sampled_from(["tls", "dns", "socket"]),
    raw=st.text(max_size=200) | st.sampled_from(["login failed", "535 5.7.8 bad password"]),
)
def test_the_network_never_refuses_a_password(layer: str, raw: str) -> None:
    """In these layers nobody was asked for one."""
    assert diagnose(Failure(layer, raw)).klass != CauseClass.USER_RECONNECTS.value


_TRAPS = [
    " ",
    "a",
    "a ",
    "auth ",
    "password ",
    "not ",
    "too many ",
    "mailbox ",
    "account is ",
    "535 5.7.8 ",
    "5.7.8 ",
    "[alert ",
    "a.prod.",
    "1.1.",
    "ey",
    "error_codes 12345 ",
    "aadsts12345 ",
    "certificate ",
    "imap ",
    "tls ",
    "(",
    "wait ",
    "2026-01-01 ",
    "- gsmtp ",
]


@pytest.mark.parametrize("trap", _TRAPS)
@pytest.mark.parametrize("layer", ["imap", "smtp", "oauth", "socket"])
def test_long_hostile_text_costs_no_more_than_its_bound(trap: str, layer: str) -> None:
    """Doubling the text over and over must not double the cost beyond what is read at all."""

    def best_of_three(length: int) -> float:
        raw = (trap * length)[:length]
        times = []
        for _ in range(3):
            started = time.process_time()
            diagnose(Failure(layer, raw))
            times.append(time.process_time() - started)
        return min(times)

    quarter, whole, far = (best_of_three(length) for length in (MAX_LENGTH // 4, MAX_LENGTH, MAX_LENGTH * 64))
    assert whole < 0.25
    assert whole < max(12 * quarter, 0.05)
    assert far < max(2 * whole, 0.05)


def test_the_last_word_of_the_imap_table_is_the_password() -> None:
    """Everything else is looked for before a password is blamed."""
    assert BY_WORDS[-1].cause == "credentials_rejected"
