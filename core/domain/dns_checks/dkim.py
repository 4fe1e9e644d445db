"""DKIM: the keys with which the domain's mail is signed (RFC 6376 3.6.1, RFC 8301, RFC 8463; R191). Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from core.domain.dns_checks.dkim_key import rsa_bits
from core.domain.dns_checks.findings import Finding, Notes, Verdict
from core.domain.dns_checks.view import Kind, View, tags
from core.domain.providers import facts

USUAL_SELECTORS: Final = tuple(
    "google selector1 selector2 default dkim mail k1 k2 k3 s1 s2 protonmail protonmail2 protonmail3 fm1 fm2 fm3 "
    "zoho zmail mxvault smtp".split()
)
"""Selectors cannot be listed (RFC 6376 has no such question); these are what providers set up by themselves."""

# The provider's own choice, which an administrator rarely changes.
_OF_PROVIDER: Final = {"google": ("google",), "microsoft": ("selector1", "selector2")}
_ENOUGH_BITS, _GOOD_BITS = 1024, 2048


def check_dkim(view: View, domain: str, selectors: Sequence[str], provider: str | None) -> Finding:
    """Looks at the selectors given, else at the usual ones."""
    notes, records = Notes(), dict[str, str]()
    answers = {one: view.ask(Kind.TXT, f"{one}._domainkey.{domain}") for one in selectors or USUAL_SELECTORS}
    for selector, answer in answers.items():
        keys = [record for record in answer or () if is_key(record)]
        if keys:
            records[selector] = keys[0]
            _judge_keys(notes, selector, keys)
        elif selectors:
            _without_key(notes, selector, domain, answer)
    if not records and not selectors:
        _nothing_found(notes, domain, provider, known=None not in answers.values())
    shown = "; ".join(f"{selector}: {record}" for selector, record in records.items())
    return notes.finding("dkim", shown or None)


def is_key(record: str) -> bool:
    """A key record; with a wildcard, other TXT records stand at every selector."""
    found = tags(record)
    return "p" in found and found.get("v", "DKIM1") == "DKIM1"


def _judge_keys(notes: Notes, selector: str, keys: list[str]) -> None:
    if len(keys) > 1:
        notes.add(
            Verdict.WARN,
            f"Selector {selector} has {len(keys)} keys; receivers take any of them.",
            f"Leave one record at selector {selector}.",
        )
    found = tags(keys[0])
    if not found["p"]:
        notes.add(Verdict.FAIL, f"The key of selector {selector} is revoked (empty p=).", _again(selector))
        return
    if "y" in found.get("t", "").lower().split(":"):
        notes.add(
            Verdict.WARN,
            f"Selector {selector} is in test mode (t=y): receivers treat its mail as unsigned.",
            f"Take t=y out of the record of selector {selector}.",
        )
    services = found.get("s", "*").lower().replace(" ", "").split(":")
    if not {"*", "email"} & set(services):
        notes.add(Verdict.FAIL, f"The key of selector {selector} is not meant for mail (s=).", _again(selector))
    _judge_key(notes, selector, found)


def _judge_key(notes: Notes, selector: str, found: dict[str, str]) -> None:
    kind, key = found.get("k", "rsa").lower(), _decoded(found["p"])
    if key is None:
        notes.add(Verdict.FAIL, f"The key of selector {selector} is damaged (not base64).", _again(selector))
    elif kind == "ed25519":
        _judge_ed25519(notes, selector, key)
    elif kind == "rsa":
        _judge_rsa(notes, selector, rsa_bits(key))
    else:
        notes.add(Verdict.FAIL, f"Selector {selector} has a kind of key that receivers do not know.", _again(selector))


def _judge_ed25519(notes: Notes, selector: str, key: bytes) -> None:
    if len(key) != 32:
        notes.add(Verdict.FAIL, f"The Ed25519 key of selector {selector} is damaged.", _again(selector))
        return
    notes.add(
        Verdict.OK,
        f"Selector {selector}: Ed25519 key. Not every receiver reads these; sign with an RSA key as well (RFC 8463).",
    )


def _judge_rsa(notes: Notes, selector: str, bits: int | None) -> None:
    if bits is None:
        notes.add(Verdict.FAIL, f"The key of selector {selector} is damaged (no RSA key).", _again(selector))
    elif bits < _ENOUGH_BITS:
        notes.add(
            Verdict.FAIL, f"The key of selector {selector} has {bits} bits; receivers ignore it.", _again(selector)
        )
    elif bits < _GOOD_BITS:
        notes.add(Verdict.WARN, f"The key of selector {selector} has {bits} bits; 2048 are advised.", _again(selector))
    else:
        notes.add(Verdict.OK, f"Selector {selector}: RSA key of {bits} bits.")


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _again(selector: str) -> str:
    return (
        f"Make a new RSA key of 2048 bits for selector {selector} in your mail provider's DKIM settings, "
        "and publish the record it shows."
    )


def _without_key(notes: Notes, selector: str, domain: str, answer: tuple[str, ...] | None) -> None:
    where = f"{selector}._domainkey.{domain}"
    if answer is None:
        notes.add(Verdict.UNKNOWN, f"DNS did not answer for {where}.", "Ask again in some minutes.")
    else:
        notes.add(Verdict.FAIL, f"There is no DKIM key at {where}.", _again(selector))


def _nothing_found(notes: Notes, domain: str, provider: str | None, *, known: bool) -> None:
    if not known:
        notes.add(Verdict.UNKNOWN, "DNS did not answer for every usual selector.", "Ask again in some minutes.")
    elif provider in _OF_PROVIDER:
        names = " and ".join(f"{one}._domainkey.{domain}" for one in _OF_PROVIDER[provider])
        notes.add(
            Verdict.WARN,
            f"No key at the usual selectors; {facts(provider).label} puts its own at {names}.",
            f"Turn DKIM on in the admin pages of {facts(provider).label}, and publish the record it shows.",
        )
    else:
        notes.add(
            Verdict.UNKNOWN,
            "No key at the usual selectors; another selector may be in use, and they cannot be listed.",
            "Look for s= in the DKIM-Signature of a mail you sent, and check again with that selector.",
        )
