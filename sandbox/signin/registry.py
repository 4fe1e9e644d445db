"""Who can sign in where, which apps are registered, and what each is made to do wrong."""

import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from sandbox.mail import MailHost
from sandbox.mail.accounts import Account, domain_of, normalised
from sandbox.mail.tokens import TokenProvider
from sandbox.signin.grants import Grant, GrantBook
from sandbox.signin.switches import (
    APP_SWITCHES,
    ENDING,
    SELF,
    SIGNING_OUT,
    Switch,
    account_switches,
)

APP = "app"
APP_NAME = "Rethread (sandbox)"
CLIENT_IDS: dict[TokenProvider, str] = {
    "google": "482917305566-rethread.apps.googleusercontent.test",
    "microsoft": "5f0c1d2e-7a41-4c0e-9b53-a2e8d1c4f7b6",
}
TOKEN_LIFETIME_S = 3600.0
_LONGEST_LIFETIME_S = 24 * 3600.0


@dataclass(slots=True)
class App:
    """The product's registration with one provider, and its faults."""

    provider: TokenProvider
    client_id: str
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    name: str = APP_NAME
    token_lifetime_s: float = TOKEN_LIFETIME_S
    faults: set[str] = field(default_factory=set)

    def registers(self, redirect_uri: str) -> bool:
        """Whether a code may be sent there: the product's callback on this machine, and nowhere else."""
        if "redirect_mismatch" in self.faults:
            return False
        callback = rf"https?://(127\.0\.0\.1|localhost)(:\d{{1,5}})?/oauth/{self.provider}/callback"
        return re.fullmatch(callback, redirect_uri, re.ASCII) is not None


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a program, for a token or for where to ask for one, and the HTTP status of the answer."""

    provider: TokenProvider
    wanted: Literal["token", "discovery"]
    status: int
    at: float = field(default_factory=time.time)


@dataclass(slots=True)
class Person:
    """The sign-in side of one mailbox; ``consented`` once its owner has let the app in."""

    account: Account
    provider: TokenProvider
    faults: set[str] = field(default_factory=set)
    signs_in_as: str = SELF
    consented: bool = False

    @property
    def address(self) -> str:
        return self.account.address

    @property
    def name(self) -> str:
        return self.account.seed.name

    @property
    def domain(self) -> str:
        return domain_of(self.address)

    @property
    def subject(self) -> str:
        """The person's lasting id at the provider: digits, as Google's are."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{self.address}").int)[:21]


class Registry:
    """The state behind both stand-ins."""

    def __init__(self, mail: MailHost) -> None:
        self.mail = mail
        self.grants = GrantBook()
        self.requests: list[Request] = []
        self.apps: dict[TokenProvider, App] = {
            provider: App(provider, client_id) for provider, client_id in CLIENT_IDS.items()
        }
        self._people: dict[str, Person] = {}
        self._listeners: list[Callable[[], None]] = []

    def people(self, provider: TokenProvider) -> list[Person]:
        """Everybody whose mailbox is with this provider."""
        return [
            self._people.setdefault(account.address, Person(account, provider))
            for account in self.mail.directory
            if account.seed.provider == provider
        ]

    def person(self, provider: TokenProvider, address: str) -> Person:
        """One of them. Raises KeyError where the provider has no such account."""
        wanted = normalised(address)
        for person in self.people(provider):
            if person.address == wanted:
                return person
        raise KeyError(address)

    def sign_in(self, person: Person, scopes: tuple[str, ...], *, offline: bool, nonce: str) -> Grant:
        """Records a fresh consent, which mends what only a new sign-in mends."""
        person.faults -= set(ENDING)
        person.consented = True
        self._tell()
        client_id = self.apps[person.provider].client_id
        return Grant(person.provider, person.address, client_id, scopes, offline, nonce)

    def note(self, request: Request) -> None:
        """Keeps what a program asked, and wakes whoever waits on the mail host."""
        self.requests.append(request)
        self.mail.wake()

    def withdraw(self, address: str) -> None:
        """Takes back everything one person granted, as the page of their account does."""
        for provider in self.apps:
            for grant in self.grants.of(provider, address):
                grant.end("revoked")
        if person := self._people.get(address):
            person.consented = False
        self.mail.tokens.revoke(address)

    # -- switches

    def turn(self, provider: TokenProvider, target: str, switch: str, value: object) -> None:
        """Turns a switch of an account, or of the app where ``target`` is "app".

        Raises:
            KeyError: the provider, or the account at it, is not known.
            ValueError: there is no such switch, or the value does not fit.
        """
        app = self.apps[provider]
        if target == APP:
            self._turn_app(app, switch, value)
        else:
            self._turn_person(self.person(provider, target), switch, value)
        self._tell()

    def _turn_app(self, app: App, name: str, value: object) -> None:
        switch = _find(APP_SWITCHES, name)
        if switch.kind == "text":
            app.token_lifetime_s = _seconds(name, value)
        else:
            _set(app.faults, name, value)

    def _turn_person(self, person: Person, name: str, value: object) -> None:
        switch = _find(account_switches(person.provider), name)
        if switch.kind == "choice":
            person.signs_in_as = self._checked_other(person, value)
            return
        on = _set(person.faults, name, value)
        if name in ENDING:
            self._end_grants(person, name, on=on)
        if on and name in SIGNING_OUT:
            self.mail.tokens.revoke(person.address)
            self.mail.drop_connections(person.address)

    def _end_grants(self, person: Person, name: str, *, on: bool) -> None:
        for grant in self.grants.of(person.provider, person.address):
            if on:
                grant.end(name)
            elif grant.ended_by == name:
                grant.revive()

    def _checked_other(self, person: Person, value: object) -> str:
        allowed = [SELF, *self._others(person)]
        if value not in allowed:
            raise ValueError(f"signs_in_as takes one of {', '.join(allowed)}")
        return str(value)

    # -- looking

    def describe_app(self, provider: TokenProvider) -> list[dict[str, object]]:
        """The switches of the app, each with its value."""
        app = self.apps[provider]
        return [
            switch.described(f"{app.token_lifetime_s:g}" if switch.kind == "text" else switch.name in app.faults)
            for switch in APP_SWITCHES
        ]

    def describe_person(self, person: Person) -> list[dict[str, object]]:
        """The switches of an account, each with its value."""
        return [self._described(person, switch) for switch in account_switches(person.provider)]

    def _described(self, person: Person, switch: Switch) -> dict[str, object]:
        if switch.kind != "choice":
            return switch.described(switch.name in person.faults)
        others = [(other, other) for other in self._others(person)]
        return switch.described(person.signs_in_as, [(SELF, "Itself"), *others])

    def _others(self, person: Person) -> list[str]:
        return [other.address for other in self.people(person.provider) if other is not person]

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls ``listener`` whenever somebody signed in or a switch was turned."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _find(switches: Iterable[Switch], name: str) -> Switch:
    for switch in switches:
        if switch.name == name:
            return switch
    raise ValueError(f"there is no switch {name}")


def _set(faults: set[str], name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} takes true or false")  # noqa: TRY004 (whoever turned it sees this)
    if value:
        faults.add(name)
    else:
        faults.discard(name)
    return value


def _seconds(name: str, value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, str | int | float) else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= _LONGEST_LIFETIME_S:
        raise ValueError(f"{name} takes seconds, more than 0 and at most {_LONGEST_LIFETIME_S:g}")
    return seconds
