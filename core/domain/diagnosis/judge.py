"""From a failure to a cause, what it means and what to do. Pure.

Order: the provider's own words, then general ones; an IMAP response code beats free text, except ALERT; an unknown text
stays unknown and never becomes a wrong password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from core.domain.diagnosis import imap_signatures, network_signatures, oauth_signatures
from core.domain.diagnosis.causes import CAUSES
from core.domain.diagnosis.model import Cause, CauseClass, Diagnosis, Failure, Who
from core.domain.diagnosis.normalise import Reply, read_reply
from core.domain.diagnosis.own_signatures import OWN_SIGNATURES
from core.domain.diagnosis.retry_after import retry_after_seconds
from core.domain.diagnosis.signature import Signature, first_fit
from core.domain.diagnosis.smtp_signatures import SMTP_SIGNATURES
from core.domain.providers import provider_of_host

UNKNOWN = "unknown"
LAYERS = ("imap", "smtp", "oauth", "tls", "dns", "socket")

_Finding = tuple[str, bool | None]
_ENTRA = re.compile(r"aadsts\s?(\d{5,8})")
_ERROR_CODES = re.compile(r"error_codes?['\"]?\s{0,3}[:=]\s{0,3}\[?\s{0,3}((?:\d{5,8}[\s,]{0,3}){1,10})")
_SUBERROR = re.compile(r"(?:suberror|error_subtype)['\"]?\s{0,3}[:=]\s{0,3}['\"]?(\w{1,60})")
_SPEAKERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bgsmtp\b"), "google"),
    (re.compile(r"\.prod\.outlook\.com|\baadsts\d|\baka\.ms/|\.prod\.protection\.outlook"), "microsoft"),
    (re.compile(r"yahooinc\.com|mail\.yahoo"), "yahoo"),
)


def diagnose(failure: Failure, *, provider: str | None = None) -> Diagnosis:
    """The verdict on a failure; never raises. ``provider`` wins over the one that ``failure.host`` names."""
    speaker = provider or provider_of_host(failure.host) or _speaker(failure.raw)
    reply = read_reply(failure.raw, failure.smtp_code)
    finding = _find(failure.layer, reply, speaker)
    if finding is None:
        return _verdict(failure, UNKNOWN, _unknown(failure.layer, reply), None, speaker, reply)
    name, transient = finding
    return _verdict(failure, name, CAUSES[name], transient, speaker, reply)


def _speaker(raw: str) -> str | None:
    """The provider whose mark a reply carries, where no host is known."""
    lowered = raw[:4000].lower()
    return next((provider for mark, provider in _SPEAKERS if mark.search(lowered)), None)


def _find(layer: str, reply: Reply, provider: str | None) -> _Finding | None:
    """What Rethread itself found out, then the first finding of the layer's own reader, then of the network's, whose
    texts mean the same in any layer."""
    ours = first_fit(OWN_SIGNATURES, reply, provider)
    if ours:
        return ours.cause, ours.transient
    own = _READERS.get(layer)
    finding = own(reply, provider) if own else None
    return finding or _by_tables((network_signatures.NETWORK_SIGNATURES,), reply, provider)


def _by_tables(tables: Iterable[Iterable[Signature]], reply: Reply, provider: str | None) -> _Finding | None:
    for table in tables:
        row = first_fit(table, reply, provider)
        if row:
            return row.cause, row.transient
    return None


def _read_imap(reply: Reply, provider: str | None) -> _Finding | None:
    if _token_challenge(reply):
        return "oauth_token_rejected", None
    tables = [imap_signatures.SHARPENED, imap_signatures.BY_CODE, imap_signatures.BY_WORDS]
    if not reply.verb and not reply.codes:
        # No reply of the server but an error of ours: read it as the network's before guessing from single words.
        tables.insert(0, network_signatures.NETWORK_SIGNATURES)
    return _by_tables([*tables, imap_signatures.ALERTS], reply, provider)


def _read_smtp(reply: Reply, provider: str | None) -> _Finding | None:
    if _token_challenge(reply):
        return "oauth_token_rejected", None
    if reply.smtp_code is None and not reply.statuses:
        return _by_tables((network_signatures.NETWORK_SIGNATURES, SMTP_SIGNATURES), reply, provider)
    return _by_tables((SMTP_SIGNATURES,), reply, provider)


def _read_oauth(reply: Reply, provider: str | None) -> _Finding | None:
    if _token_challenge(reply):
        return "oauth_token_rejected", None
    named = next((cause for cause in _named_by_service(reply.text) if cause), None)
    if named:
        return named, None
    return _by_tables(
        (oauth_signatures.BY_WORDS, network_signatures.NETWORK_SIGNATURES, oauth_signatures.BY_NAME), reply, provider
    )


def _named_by_service(text: str) -> Iterator[str | None]:
    """Entra's numbers as a list, then as text, then the suberror: the parts meant for programs."""
    for listed in _ERROR_CODES.findall(text):
        for number in re.findall(r"\d{5,8}", listed):
            yield oauth_signatures.ENTRA_NUMBERS.get(int(number))
    suberror = _SUBERROR.search(text)
    if suberror:
        yield oauth_signatures.SUBERRORS.get(suberror.group(1))
    for number in _ENTRA.findall(text):
        yield oauth_signatures.ENTRA_NUMBERS.get(int(number))


def _read_network(first: tuple[Signature, ...]) -> Callable[[Reply, str | None], _Finding | None]:
    def read(reply: Reply, provider: str | None) -> _Finding | None:
        return _by_tables((first, network_signatures.NETWORK_SIGNATURES), reply, provider)

    return read


_READERS: dict[str, Callable[[Reply, str | None], _Finding | None]] = {
    "imap": _read_imap,
    "smtp": _read_smtp,
    "oauth": _read_oauth,
    "tls": _read_network(network_signatures.TLS_SIGNATURES),
    "dns": _read_network(network_signatures.DNS_SIGNATURES),
    "socket": _read_network(network_signatures.SOCKET_SIGNATURES),
}


def _token_challenge(reply: Reply) -> bool:
    return reply.challenge is not None and "status" in reply.challenge


_UNKNOWN_TITLE = "The server said something new"
_UNKNOWN_WAIT = Cause(
    CauseClass.WAIT,
    _UNKNOWN_TITLE,
    "The server answered in words Rethread does not know yet; they are shown as they came. Rethread tries again by "
    "itself; press Resync to try at once.",
)
_UNKNOWN_BUG = Cause(
    CauseClass.OUR_BUG,
    _UNKNOWN_TITLE,
    "The server did not understand Rethread; its words are shown as they came. Rethread reconnects by itself; if it "
    "stays, report it with these words.",
)
_UNKNOWN_LOGIN = Cause(
    CauseClass.TENANT_ADMIN,
    _UNKNOWN_TITLE,
    "The server refuses this mailbox in words Rethread does not know yet; they are shown as they came. Send them to "
    "your mail administrator, then press Resync.",
    who=Who.MAIL_ADMIN,
    forward="The mail server refuses this mailbox with the reply quoted here. What does it want?",
)
_UNKNOWN_REFUSAL = Cause(
    CauseClass.RECIPIENT,
    _UNKNOWN_TITLE,
    "The server refused this message in words Rethread does not know yet; they are shown as they came. Read them, "
    "correct the address or the message, then press Retry.",
)


def _unknown(layer: str, reply: Reply) -> Cause:
    """What to do with words nobody has met before: by reply code only."""
    if layer == "imap" and reply.verb == "bad":
        return _UNKNOWN_BUG
    if layer == "smtp" and reply.smtp_code and reply.smtp_code >= 500:
        return _UNKNOWN_LOGIN if 530 <= reply.smtp_code < 540 else _UNKNOWN_REFUSAL
    return _UNKNOWN_WAIT


def _verdict(
    failure: Failure, name: str, cause: Cause, transient: bool | None, provider: str | None, reply: Reply
) -> Diagnosis:
    return Diagnosis(
        cause=name,
        klass=cause.klass.value,
        transient=cause.passes_by_itself() if transient is None else transient,
        who=cause.mended_by(provider).value,
        fix=cause.fix_for(provider),
        raw=failure.raw,
        obsolete=cause.obsolete_for(provider),
        title=cause.title,
        forward=cause.forward_for(provider),
        provider=provider,
        retry_after_s=retry_after_seconds(reply.text),
    )
