"""Who is let in: a password or an access token, weighed against the account and its switches."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.mail import refusals
from sandbox.mail.accounts import APP_PASSWORD, Account, Directory, Provider
from sandbox.mail.refusals import Refusal, Side, by_provider
from sandbox.mail.tokens import TokenBook

# How long each answer of a slow account takes, in seconds.
SLOW_S = 2.0

_XOAUTH2 = re.compile(rb"user=([^\x01]*)\x01auth=[Bb]earer ([^\x01]*)\x01\x01")


@dataclass(frozen=True, slots=True)
class Password:
    """A password as the client gave it; ``equals`` compares it with a right one."""

    equals: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Token:
    """An access token as the client gave it by XOAUTH2."""

    text: str


Proof = Password | Token


def read_xoauth2(response: bytes) -> tuple[str, str] | None:
    """User name and token of an XOAUTH2 response; None where it has another form."""
    found = _XOAUTH2.fullmatch(response)
    return (found[1].decode("utf-8", "replace"), found[2].decode("utf-8", "replace")) if found else None


def token_challenge() -> bytes:
    """What Google says before it refuses a token; Microsoft refuses at once."""
    said = {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"}
    return json.dumps(said, separators=(",", ":")).encode()


class Gate:
    """Decides for IMAP and SMTP alike."""

    def __init__(self, directory: Directory, tokens: TokenBook) -> None:
        self._directory = directory
        self._tokens = tokens

    def find(self, name: str, provider: Provider) -> Account | None:
        """The account, if the server of ``provider`` knows it; the host's own server knows every one."""
        account = self._directory.find(name)
        if account is None or provider in ("password", account.seed.provider):
            return account
        return None

    def words(self, side: Side, account: Account | None, proof: Proof, provider: Provider = "password") -> str:
        """The refusal as it goes over the wire, an IMAP one without its tag; empty for whoever is let in."""
        if account is None:
            return refusals.WRONG[provider].on(side)
        objections = [*_standing(account), *self._unproven(account, proof), *_imap_off(account)]
        return next((words for objection in objections if (words := objection.on(side))), "")

    def holds(self, account: Account | None, token: str) -> bool:
        """Whether a token opens the account, whatever its switches say."""
        return account is not None and self._tokens.verdict(token, account.address) == "ok"

    def _unproven(self, account: Account, proof: Proof) -> list[Refusal]:
        kind = account.seed.provider
        if isinstance(proof, Token):
            return [] if self.holds(account, proof.text) else [refusals.WRONG[kind]]
        if kind == "microsoft":
            return [refusals.NO_PASSWORDS]
        if kind == "google":
            return _judge_google(account, proof)
        return [] if proof.equals(account.password) else [refusals.WRONG[kind]]


def _standing(account: Account) -> list[Refusal]:
    """What stands against the account before anything is proved."""
    kind = account.seed.provider
    found = [refusals.THROTTLED] if account.faults.throttled else []
    if account.faults.smtp_off:
        found.append(Refusal(smtp=refusals.CLOSED))
    chosen = (
        (refusals.SERVER, account.faults.server),
        (refusals.SIGN_IN, account.faults.sign_in),
        (refusals.SENDING, account.faults.sending),
    )
    return found + [by_provider(table[choice], kind) for table, choice in chosen if choice in table]


def _imap_off(account: Account) -> list[Refusal]:
    """Told only to who has proved to own the account."""
    turned = {"imap_off_admin": account.faults.imap_off_admin, "imap_off": account.faults.imap_off}
    return [by_provider(refusals.IMAP_OFF[name], account.seed.provider) for name, off in turned.items() if off]


def _judge_google(account: Account, proof: Password) -> list[Refusal]:
    if account.faults.app_password and proof.equals(APP_PASSWORD):
        return []
    return [refusals.APP_PASSWORD if proof.equals(account.password) else refusals.WRONG["google"]]
