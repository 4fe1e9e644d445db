"""Ids, times, roles, folders, people, workspace settings: small rules that much leans on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.actor import Actor, Role, operator, require_admin, require_mailbox, require_outreach, require_recruiter
from core.domain.ids import uuid7
from core.domain.moment import iso, parse_iso
from core.domain.people import Person
from core.domain.reasons import reason, reason_of_refusal
from core.domain.smtp_reply import classify_reply
from core.domain.workspace_settings import ALL, BY_KEY, WorkspaceSettings, parse_value
from core.errors import InputError, NotAllowedError
from tests.stores import NOW, make_address, make_mailbox


@given(
    st.integers(0, 10**9),
    st.integers(1, 10**6),
    st.binary(min_size=10, max_size=10),
    st.binary(min_size=10, max_size=10),
)
def test_ids_stand_in_the_order_of_their_time(millis: int, later: int, one: bytes, other: bytes) -> None:
    """A later millisecond sorts later whatever the dice say; version and variant are those of RFC 9562."""
    began = NOW + timedelta(milliseconds=millis)
    first, second = uuid7(began, one), uuid7(began + timedelta(milliseconds=later), other)
    assert first < second
    assert UUID(first).version == 7
    assert UUID(first).variant == "specified in RFC 4122"


def test_an_id_needs_ten_random_bytes() -> None:
    """Fewer would make two of one millisecond alike."""
    with pytest.raises(ValueError, match="ten random bytes"):
        uuid7(NOW, b"123456789")
    assert uuid7(NOW, b"a" * 10) != uuid7(NOW, b"b" * 10)


def test_times_are_told_in_utc() -> None:
    """Whatever zone they came in (contract)."""
    tokyo = datetime(2026, 9, 1, 9, 0, 1, 999_999, tzinfo=timezone(timedelta(hours=9)))
    assert iso(tokyo) == "2026-09-01T00:00:01Z"
    assert iso(None) is None
    assert parse_iso(None) is None
    assert parse_iso("2026-09-01T00:00:01Z") == datetime(2026, 9, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-09-01T00:00:01"])
def test_a_time_without_its_zone_is_no_time(text: str) -> None:
    """The machine's own zone must not decide what a stored time means."""
    with pytest.raises(ValueError, match=r"."):
        parse_iso(text)


RITA, OMAR, ADA = (
    Actor("T1", user, role)
    for user, role in (("U0RITA", Role.RECRUITER), ("U0OMAR", Role.RECRUITER), ("U0ADA", Role.ADMIN))
)
VIEWER = Actor("T1", "U0VERA", Role.VIEWER)


@pytest.mark.parametrize(
    ("actor", "owner", "sender", "allowed"),
    [
        (RITA, "U0RITA", None, True),
        (OMAR, "U0RITA", None, False),
        (OMAR, "U0RITA", "U0OMAR", True),
        (OMAR, None, None, True),
        (ADA, "U0RITA", None, True),
        (VIEWER, None, None, False),
        (VIEWER, "U0VERA", None, False),
        (operator("T1"), "U0RITA", None, True),
    ],
)
def test_who_may_act_on_a_campaign(actor: Actor, owner: str | None, sender: str | None, allowed: bool) -> None:
    """Its owner, an admin, the sender of what is at stake, everybody where nobody owns it; viewers never."""
    if allowed:
        require_outreach(actor, owner, sender=sender)
    else:
        with pytest.raises(NotAllowedError):
            require_outreach(actor, owner, sender=sender)


def test_who_may_act_on_a_mailbox_and_on_settings() -> None:
    """Owner and admins; settings are the admins'."""
    require_mailbox(RITA, make_mailbox())
    require_mailbox(ADA, make_mailbox())
    require_admin(ADA)
    for refused in (
        lambda: require_mailbox(OMAR, make_mailbox()),
        lambda: require_admin(RITA),
        lambda: require_recruiter(VIEWER),
    ):
        with pytest.raises(NotAllowedError):
            refused()


def test_names_and_addresses_of_people() -> None:
    """A name is made of what is there; the primary comes first within its type (R118, R119)."""
    work, other = make_address("m@work.example", "work", primary=False), make_address("m2@work.example", "work")
    person = Person("p1", "T1", "", "", "", "", NOW, (work, other))
    assert person.name == "m2@work.example"
    assert person.address_for(("personal", "work")) == other
    assert person.address_for(("personal",)) is None
    assert Person("p1", "T1", " ", "Lind", "", "", NOW).name == "Lind"
    assert Person("p1", "T1", "", "", "", "", NOW).name == "somebody without a name"


def test_every_reason_says_what_happened_and_what_to_press() -> None:
    """R207, also for what a server refused."""
    for code in ("null_email", "sync_behind", "delivery_unknown", "campaign", "canceled", "manual_stage"):
        assert reason(code).text.endswith(".")
        assert reason(code).fix
    assert reason("missing_variable", "Missing: team.").text.endswith("Missing: team.")
    refusal = reason_of_refusal(classify_reply((550, "550 5.1.1 no such user")).effect)
    assert refusal.code.replace("_", "").isalnum()
    assert refusal.fix


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("spacing_min_s", "90", 90),
        ("spacing_min_s", " 1.5 ", 1.5),
        ("alert_tries", "5", 5),
        ("settle_s", "60, 300,900", (60, 300, 900)),
        ("undecided_policy", "resend", "resend"),
        ("alert_channel", "<#C0123|alerts>", "C0123"),
        ("alert_channel", "C0123", "C0123"),
        ("alert_channel", "none", None),
        ("spacing_min_s", "default", None),
        ("spacing_min_s", "", None),
    ],
)
def test_settings_that_people_type(key: str, text: str, value: object) -> None:
    """Numbers, lists, words, mentioned channels; "default" goes back."""
    assert parse_value(key, text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("no_such", "1"),
        ("spacing_min_s", "soon"),
        ("spacing_min_s", "-1"),
        ("spacing_min_s", "nan"),
        ("spacing_min_s", "inf"),
        ("alert_tries", "2.5"),
        ("alert_tries", "0"),
        ("settle_s", "300,60"),
        ("settle_s", ",".join("1" * 11)),
        ("settle_s", "60,x"),
        ("undecided_policy", "maybe"),
        ("alert_channel", "general"),
        ("alert_channel", "U0RITA"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(key: str, text: str) -> None:
    """Which key, and why."""
    with pytest.raises(InputError) as refused:
        parse_value(key, text)
    assert refused.value.field in (key, "key")


def test_every_default_is_within_its_own_bounds() -> None:
    """And every setting says what it means."""
    for setting in ALL:
        assert setting.meaning.endswith(".")
        if setting.kind in ("number", "int"):
            assert setting.low <= setting.default <= setting.high
    assert len(BY_KEY) == len(ALL)


def test_a_stored_value_wins_over_the_default() -> None:
    """Also zero; a stored None is the default again."""
    settings = WorkspaceSettings({"spacing_min_s": 0, "spacing_max_s": None, "settle_s": [1, 2]})
    assert (settings.seconds("spacing_min_s"), settings.seconds("spacing_max_s")) == (0, 120)
    assert settings.settle() == (1.0, 2.0)
