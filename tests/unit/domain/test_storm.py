"""Which broken mailboxes are one trouble: same cause, same place, same time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.storm import (
    NETWORK,
    Break,
    Gathering,
    Patience,
    Storm,
    Words,
    gather,
    is_outage,
    key_of,
    scopes_of,
    words_of,
)
from tests.stores import NOW

WINDOW = timedelta(minutes=10)
PATIENCE = Patience(3, WINDOW)
WORDS = Words("Password refused", "Press Reconnect.", "recruiter", "Please look.")


def broken(number: int, place: str = "google", cause: str = "credentials_rejected", **changes: object) -> Break:
    given_: dict[str, object] = {
        "alert_id": f"a{number}",
        "place": place,
        "cause": cause,
        "klass": "user reconnects",
        "tenant": "agency.test",
        "began": NOW,
    }
    return Break(**{**given_, **changes})  # type: ignore[arg-type]


def gathered(breaks: list[Break], storms: list[Storm] | None = None) -> list[tuple[str, str | None, int]]:
    """(scope, storm, how many) of each."""
    found = gather(breaks, storms or [], PATIENCE)
    return [(one.scope, one.storm.id if one.storm else None, len(one.breaks)) for one in found]


def test_fewer_than_the_setting_are_no_storm() -> None:
    """Two are two."""
    assert gathered([broken(1), broken(2)]) == []
    assert gathered([broken(1), broken(2), broken(3)]) == [("google", None, 3)]


def test_time_is_measured_between_the_breaks() -> None:
    """Within one window of the first, wherever it lies."""
    spread = [broken(n, began=NOW + WINDOW / 2 * n) for n in range(3)]
    assert gathered(spread) == [("google", None, 3)]
    too_wide = [broken(n, began=NOW + WINDOW * 0.6 * n) for n in range(3)]
    assert gathered(too_wide) == []


def test_an_old_break_of_the_same_cause_is_another_story() -> None:
    """Three days ago somebody changed a password; today's storm is not about that."""
    old = broken(9, began=NOW - timedelta(days=3))
    today = [broken(n) for n in range(3)]
    assert gathered([old, *today]) == [("google", None, 3)]
    storm = Storm("s1", "google", "credentials_rejected", NOW)
    assert gathered([old], [storm]) == []
    assert gathered([broken(4, began=NOW + timedelta(days=2))], [storm]) == [("google", "s1", 1)]


def test_causes_do_not_mix() -> None:
    """Two of one and one of another are no storm."""
    assert gathered([broken(1), broken(2), broken(3, cause="imap_disabled")]) == []


@pytest.mark.parametrize(
    ("cause", "scope"),
    [("oauth_client_secret_expired", "google"), ("process_fd_limit", NETWORK), ("proxy_auth_required", NETWORK)],
)
def test_what_is_wrong_with_ourselves_is_wrong_for_all(cause: str, scope: str) -> None:
    """At the first mailbox; what is about this machine is not about a provider."""
    assert gathered([broken(1, cause=cause, klass="our app")]) == [(scope, None, 1)]


@pytest.mark.parametrize(
    ("per_place", "scope"),
    [
        ({"google": 2, "microsoft": 1}, NETWORK),
        ({"google": 1, "microsoft": 1, "mail.agency.test": 1}, NETWORK),
        ({"google": 40, "microsoft": 1}, "google"),
        ({"google": 40, "microsoft": 3}, NETWORK),
        ({"google": 1, "microsoft": 1}, None),
    ],
)
def test_the_network_is_blamed_only_where_no_provider_explains_it(per_place: dict[str, int], scope: str | None) -> None:
    """Forty of one and one of another: that one is a coincidence."""
    breaks = [broken(n, place, "connect_timeout") for place, many in per_place.items() for n in range(many)]
    breaks = [broken(n, one.place, one.cause) for n, one in enumerate(breaks)]
    found = gathered(breaks)
    assert [one for one, _, _ in found[:1]] == ([scope] if scope else [])


def test_a_part_of_a_providers_outage_is_not_taken_for_the_network() -> None:
    """The last two of Google's and one of Microsoft would be; the first of Google's speaks against it."""
    times = {"google": (0, 5, 9), "microsoft": (12,)}
    breaks = [
        broken(at, place, "connect_timeout", began=NOW + timedelta(minutes=at))
        for place, each in times.items()
        for at in each
    ]
    assert gathered(breaks) == [("google", None, 3)]


def test_beside_a_storm_of_the_network_none_begins() -> None:
    """What broke long before it stays apart, and takes nobody's key."""
    storm = Storm("s1", NETWORK, "connect_timeout", NOW)
    old = [
        broken(number, place, "connect_timeout", began=NOW - timedelta(hours=3))
        for number, place in enumerate(("google", "microsoft", "yahoo"))
    ]
    assert gathered(old, [storm]) == []
    assert gathered(old) == [(NETWORK, None, 3)]


def test_a_password_is_never_the_networks_fault() -> None:
    """Refused at three providers at once are three passwords."""
    assert gathered([broken(1), broken(2, "microsoft"), broken(3, "yahoo")]) == []


def test_an_outage_needs_more_than_three_of_different_companies() -> None:
    """An administrator can shut out one company, not two."""
    assert not is_outage("mailbox_not_reachable", ["a.test", "b.test", "c.test"])
    assert not is_outage("mailbox_not_reachable", ["a.test"] * 40)
    assert is_outage("mailbox_not_reachable", ["a.test", "a.test", "a.test", "b.test"])
    assert not is_outage("credentials_rejected", ["a.test", "b.test", "c.test", "d.test"])


def test_words_stay_the_causes_own_where_many_mean_the_same_as_one() -> None:
    """Only a network and an outage are something else."""
    assert words_of("google", "credentials_rejected", WORDS, ["a.test"]) == WORDS
    assert words_of(NETWORK, "connect_timeout", WORDS, []).who == "operator"
    assert words_of(NETWORK, "process_fd_limit", WORDS, []) == WORDS


places = st.sampled_from(["google", "microsoft", "mail.agency.test"])
causes = st.sampled_from(["credentials_rejected", "connect_timeout", "mailbox_not_reachable", "process_fd_limit"])
minutes = st.integers(0, 60).map(lambda number: NOW + timedelta(minutes=number))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Break], list[Storm]]:
    """Breaks at random times, some told on one of the open storms, of which there is one per cause and scope."""
    keys = draw(st.lists(st.tuples(st.one_of(places, st.just(NETWORK)), causes), unique=True, max_size=4))
    storms = [Storm(f"s{n}", scope, cause, draw(minutes)) for n, (scope, cause) in enumerate(keys)]
    breaks = []
    for number in range(draw(st.integers(0, 14))):
        cause = draw(causes)
        klass = "our app" if cause == "process_fd_limit" else "wait"
        mine = [storm.id for storm in storms if storm.cause == cause]
        storm = draw(st.sampled_from([None, *mine]))
        breaks.append(broken(number, draw(places), cause, klass=klass, began=draw(minutes), storm=storm))
    return breaks, storms


@given(scenes())
def test_no_break_is_on_two_cards_and_no_cause_has_two_of_one_scope(scene: tuple[list[Break], list[Storm]]) -> None:
    """Each loose one at most once; new and widened storms never take a key that is taken; told ones are left alone."""
    breaks, storms = scene
    found: list[Gathering] = gather(breaks, storms, PATIENCE)
    named = [one.alert_id for gathering in found for one in gathering.breaks]
    assert len(named) == len(set(named))
    told = {one.alert_id for one in breaks if one.storm is not None}
    assert not told & set(named)
    taken = {key_of(storm.scope, storm.cause): storm.id for storm in storms}
    for gathering in found:
        key = key_of(gathering.scope, gathering.cause)
        mine = gathering.storm.id if gathering.storm else f"new{len(taken)}"
        assert taken.setdefault(key, mine) == mine
        assert all(one.cause == gathering.cause for one in gathering.breaks)
        if gathering.scope != NETWORK:
            assert all(gathering.scope in scopes_of(one.place, one.cause) for one in gathering.breaks)


@given(scenes())
def test_after_one_look_another_finds_nothing_new(scene: tuple[list[Break], list[Storm]]) -> None:
    """What was gathered stays where it is: cards do not wander."""
    breaks, storms = scene
    kept = {storm.id: storm for storm in storms}
    where: dict[str, str] = {}
    for number, one in enumerate(gather(breaks, storms, PATIENCE)):
        storm = one.storm or Storm(f"n{number}", one.scope, one.cause, one.began)
        kept[storm.id] = Storm(storm.id, one.scope, one.cause, storm.began)
        where |= {each.alert_id: storm.id for each in one.breaks}
    after = [
        Break(one.alert_id, one.place, one.cause, one.klass, one.tenant, one.began, where.get(one.alert_id, one.storm))
        for one in breaks
    ]
    assert gather(after, kept.values(), PATIENCE) == []
