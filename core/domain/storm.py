"""Storms: many mailboxes broken by one cause are one trouble, told on one card (X10). Pure.

A provider's outage, an expired client secret and a network of our own that is down look, mailbox by mailbox, like
forty troubles. They are one where the cause is the same, the place is the same and the time is the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from core.domain.diagnosis import CauseClass, Who

NETWORK: Final = "network"
"""The scope of a storm that is about our own way out, not about one provider."""

_NETWORK_CAUSES: Final = frozenset(
    {
        "connect_timeout",
        "read_timeout",
        "connection_reset",
        "connection_refused",
        "dns_temporary_failure",
        "network_unreachable",
    }
)
# Of the class "our app", but about this machine and not about one provider.
_OUR_MACHINE: Final = frozenset({"process_fd_limit", "proxy_auth_required"})
_NOT_REACHABLE: Final = "mailbox_not_reachable"
_OUTAGE_AT_LEAST: Final = 4


@dataclass(frozen=True, slots=True)
class Break:
    """A broken mailbox. ``place`` is its provider, or its server where the provider is not known; ``tenant`` its
    address's domain; ``storm`` the open storm that tells of it already."""

    alert_id: str
    place: str
    cause: str
    klass: str
    tenant: str
    began: datetime
    storm: str | None = None


@dataclass(frozen=True, slots=True)
class Storm:
    """An open storm: ``scope`` is a place, or NETWORK. ``began`` with the first of those that made it one."""

    id: str
    scope: str
    cause: str
    began: datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """``mailboxes`` (from 2) that broke within ``window`` of each other are one storm."""

    mailboxes: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Gathering:
    """Breaks that belong on one card, in order of time: that of ``storm``, or a new one (None) that ``began`` then.
    Where ``scope`` is wider than the storm's own, the storm turns out to be about more than one provider."""

    scope: str
    cause: str
    storm: Storm | None
    began: datetime
    breaks: tuple[Break, ...]


def key_of(scope: str, cause: str) -> str:
    """The storm's alert key: at most one is open per cause and scope."""
    return f"storm:{scope}:{cause}"


def scopes_of(place: str, cause: str) -> tuple[str, ...]:
    """Where an open storm would tell of such a break, nearest first."""
    if cause in _OUR_MACHINE:
        return (NETWORK,)
    return (place, NETWORK) if cause in _NETWORK_CAUSES else (place,)


def is_outage(cause: str, tenants: Sequence[str]) -> bool:
    """More than three mailboxes of different companies that are let in but not connected, at once: the provider's
    fault, not an administrator's. ``tenants`` has one entry per mailbox."""
    return cause == _NOT_REACHABLE and len(tenants) >= _OUTAGE_AT_LEAST and len(set(tenants)) > 1


def gather(breaks: Iterable[Break], storms: Iterable[Storm], patience: Patience) -> list[Gathering]:
    """Which breaks go onto which card. Breaks that stand on an open storm's card already are not named again, unless
    their storm widens."""
    by_cause: defaultdict[str, list[Break]] = defaultdict(list)
    for one in sorted(breaks, key=lambda one: (one.began, one.alert_id)):
        by_cause[one.cause].append(one)
    open_storms = list(storms)
    found: list[Gathering] = []
    for cause, of_cause in sorted(by_cause.items()):
        mine = [storm for storm in open_storms if storm.cause == cause]
        found += _OneCause(cause, of_cause, mine, patience).gather()
    return found


class _OneCause:
    """The breaks of one cause, in order of time."""

    def __init__(self, cause: str, breaks: list[Break], storms: list[Storm], patience: Patience) -> None:
        self._cause, self._patience = cause, patience
        self._by_scope = {storm.scope: storm for storm in storms}
        self._by_id = {storm.id: storm for storm in storms}
        self._told = [one for one in breaks if one.storm in self._by_id]
        self._loose = [one for one in breaks if one.storm not in self._by_id]

    def gather(self) -> list[Gathering]:
        return [*self._joining(), *self._network(), *self._per_place()]

    def _joining(self) -> list[Gathering]:
        """Late ones of an open storm, nearest scope first."""
        found = []
        for storm in sorted(self._by_scope.values(), key=lambda storm: storm.scope == NETWORK):
            late = self._take_since(storm.began, storm.scope)
            if late:
                found.append(Gathering(storm.scope, self._cause, storm, storm.began, late))
        return found

    def _network(self) -> list[Gathering]:
        """The same failure of the way at several providers at once: then it is the way out of here."""
        if self._cause not in _NETWORK_CAUSES or NETWORK in self._by_scope or not self._loose:
            return []
        everywhere = sorted([*self._told, *self._loose], key=lambda one: one.began)
        together = self._together(everywhere, partial(self._is_network, everywhere))
        if not together:
            return []
        widened = next((self._by_id[one.storm] for one in together if one.storm in self._by_id), None)
        began = widened.began if widened else together[0].began
        return [Gathering(NETWORK, self._cause, widened, began, self._take_since(began, NETWORK))]

    def _per_place(self) -> list[Gathering]:
        found = []
        for scope in sorted({scopes_of(one.place, self._cause)[0] for one in self._loose}):
            here = [one for one in self._loose if scope in scopes_of(one.place, self._cause)]
            together = self._together(here, self._is_enough)
            if together:
                began = together[0].began
                taken = self._take_since(began, scope)
                found.append(Gathering(scope, self._cause, self._by_scope.get(scope), began, taken))
        return found

    def _is_enough(self, some: Sequence[Break]) -> bool:
        # What is wrong with our own registration is wrong for everybody: the first mailbox says it for all.
        ours = any(one.klass == CauseClass.OUR_APP.value for one in some)
        return bool(some) and (ours or len(some) >= self._patience.mailboxes)

    def _is_network(self, everywhere: Sequence[Break], some: Sequence[Break]) -> bool:
        """Judged with all that is near in time: what is cut out of a provider's outage must not look like more."""
        if not _is_network(some, self._patience.mailboxes):
            return False
        since, until = some[0].began - self._patience.window, some[-1].began + self._patience.window
        near = [one for one in everywhere if since <= one.began <= until]
        return _is_network(near, self._patience.mailboxes)

    def _together(self, breaks: Sequence[Break], enough: Callable[[Sequence[Break]], bool]) -> list[Break]:
        """The first of them that began within one window and are enough; ``breaks`` are in order of time."""
        for position, first in enumerate(breaks):
            end = bisect_right(breaks, first.began + self._patience.window, lo=position, key=lambda one: one.began)
            within = list(breaks[position:end])
            if enough(within):
                return within
        return []

    def _take_since(self, began: datetime, scope: str) -> tuple[Break, ...]:
        """Those of a storm that are told nowhere yet. Some hear of it later than they broke, so those that broke a
        little before its first belong to it; what had broken long before is another story."""
        since = began - self._patience.window
        taken = tuple(one for one in self._loose if one.began >= since and scope in scopes_of(one.place, self._cause))
        ids = {one.alert_id for one in taken}
        self._loose = [one for one in self._loose if one.alert_id not in ids]
        return taken


def _is_network(breaks: Sequence[Break], mailboxes: int) -> bool:
    """Several places, and none of them explains the number by itself: forty mailboxes of one provider and one of
    another are that provider's trouble and a coincidence."""
    per_place = Counter(one.place for one in breaks)
    if len(per_place) < 2 or len(breaks) < mailboxes:
        return False
    largest = max(per_place.values())
    return largest < mailboxes or len(breaks) - largest >= mailboxes


@dataclass(frozen=True, slots=True)
class Words:
    """What a storm's card says of its cause."""

    title: str
    fix: str
    who: str
    forward: str | None


def words_of(scope: str, cause: str, single: Words, tenants: Sequence[str]) -> Words:
    """``single`` is what the card of one mailbox would say; many together can mean something else."""
    if scope == NETWORK and cause in _NETWORK_CAUSES:
        return Words(
            f"{single.title}, at several providers at once",
            "Mailboxes of different providers fail in the same way at the same time, so the cause is most likely the "
            "way out of the machine that Rethread runs on, not the mailboxes. The operator checks its network, name "
            "service and firewall. Rethread keeps trying and goes on by itself.",
            Who.OPERATOR.value,
            None,
        )
    if is_outage(cause, tenants):
        return Words(
            "An outage at the mail provider",
            "Mailboxes of several companies are signed in but not connected, all at once, so this is the provider's "
            "fault and not a setting of your administrator. Look at the provider's status page. Rethread keeps "
            "trying; once the provider is back, Resync all saves the wait.",
            Who.VENDOR.value,
            None,
        )
    return single
