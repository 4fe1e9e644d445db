"""May this address be written to: valid, risky, invalid or unknown (R111, R117, R198). Pure: DNS is a fact given.

The first rule that speaks decides:

1. suppressed (do not contact, unsubscribed): invalid. Nobody's Retry may pass by it, so its code stands before others.
2. not an address that mail can go to (RFC 5321, 5322, 6531), or a name that is reserved for no mail (RFC 6761, 6762,
   7686): invalid (R117).
3. its domain takes no mail (no server, null MX of RFC 7505, ``v=spf1 -all`` and no MX): invalid. A mistyped free
   mailbox is named together with the right spelling.
4. likely mistyped, bounced lately, thrown away after use, or read by nobody in particular: risky, so that it waits for
   a person (R111; R143 lets them send all the same).
5. DNS gave no answer: unknown, which never holds anything back.
6. else valid, which is no promise: only the mail itself shows whether somebody is there.

``.test`` and ``.example`` are judged by DNS alone: the names exist where somebody made them for trying things out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from core.domain.address import MAX_ADDRESS_LENGTH, domain_of


class DomainMail(StrEnum):
    """What DNS says of a domain's mail. ``MX`` also where only an address record stands in for it (RFC 5321 5.1)."""

    MX = "mx"
    NULL_MX = "null_mx"
    NONE = "none"
    REJECT_ALL = "reject_all_spf"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    VALID = "valid"
    RISKY = "risky"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AddressVerdict:
    """``code`` names the rule, ``text`` says what (a clause, without the address), ``fix`` what to do; ``suggestion``
    is the address that was probably meant, or empty."""

    verdict: Verdict
    code: str
    text: str = ""
    fix: str = ""
    suggestion: str = ""


_CORRECT: Final = "Correct the address on the profile, or ask the person for another."
_NO_MAIL: Final = {
    DomainMail.NONE: ("no_mail_server", "its domain has no mail server"),
    DomainMail.NULL_MX: ("null_mx", "its domain says that it takes no mail (null MX)"),
    DomainMail.REJECT_ALL: ("reject_all_spf", "its domain has no mail server and says that it never mails"),
}

ROLES: Final = frozenset(
    "abuse accounting accounts admin administration administrator all billing bewerbung bewerbungen career "
    "careers compliance contact customerservice emploi everyone finance help helpdesk hiring hostmaster hr "
    "humanresources info information invoice invoices it job jobs karriere legal list mailer-daemon marketing "
    "media news newsletter noc office orders payroll personalabteilung postmaster pr press privacy recruiting "
    "recruitment registrar rrhh root sales security service spam staff stellen subscribe support sysadmin talent "
    "team unsubscribe vacancies webmaster".split()
)
"""Local parts that belong to a function. Not here: hello, hi, mail, me and the like, under which freelancers write."""
NO_REPLY: Final = frozenset("noreply no-reply no_reply donotreply do-not-reply do_not_reply nobody devnull".split())

# Misspelt names of free mail providers. A list and no edit distance: cloud.com and mail.com are real, one letter away.
_MISSPELT: Final = {
    "gmail": "gmial gmai gmal gmil gnail gamil gmaill ggmail gmaik gmsil gimail gmali gmaol gmailcom gmeil gmqil gmaii",
    "hotmail": "hotmial hotmal hotmil hotmai hotnail hormail homail hotmaill hotamil hotmali hotmsil hotmailcom",
    "yahoo": "yaho yahooo yhoo yhaoo yahho yhaho yaoo yahoi yahop yajoo yahoocom",
    "outlook": "outlok outloo outllok outlool outlokk outook oulook otlook outlock outloook putlook outlookcom",
    "icloud": "iclod icoud iclould icloude iclud icluod icould icloudcom",
    "protonmail": "protonmial protonmal protonmai protonnmail portonmail prontonmail",
    "googlemail": "googlmail googelmail gogglemail",
}
_NAMES: Final = {wrong: right for right, spellings in _MISSPELT.items() for wrong in spellings.split()}
_ENDINGS: Final = dict.fromkeys(["", *"con cmo ocm comm vom xom cim cpm coom comn om cm co".split()], "com")
_IN_MANY_LANDS: Final = frozenset({"hotmail", "yahoo", "outlook"})
_LANDS: Final = frozenset(
    "co.uk fr de it es ca com.au com.br com.mx co.in co.jp ie nl be at ch se dk no fi pt pl".split()
)


def judge(
    address: str,
    domain: DomainMail = DomainMail.UNKNOWN,
    *,
    suppressed: bool = False,
    recently_bounced: bool = False,
) -> AddressVerdict:
    """The verdict on ``address``. ``domain``: what DNS says of its domain; ``suppressed``: it is on the do-not-contact
    list; ``recently_bounced``: a mail to it came back for good lately. Never raises, whatever ``address`` is."""
    if suppressed:
        return AddressVerdict(
            Verdict.INVALID,
            "suppressed",
            "it is on the do-not-contact list",
            "Respect it; only an admin can take it off the list.",
        )
    fault = _syntax_fault(address)
    if fault is not None:
        return fault
    meant = suggestion(address)
    if domain in _NO_MAIL:
        return _no_mail(domain, meant)
    risk = _risk(address, meant, recently_bounced)
    if risk is not None:
        return risk
    if domain is DomainMail.UNKNOWN:
        return AddressVerdict(Verdict.UNKNOWN, "dns_unknown", "its domain could not be looked up just now")
    return AddressVerdict(Verdict.VALID, "ok")


def suggestion(address: str) -> str:
    """The address that was probably meant where the name of a free mail provider is misspelt, else empty."""
    local, at, domain = address.rpartition("@")
    name, _, ending = domain.lower().partition(".")
    right, right_ending = _NAMES.get(name, name), _ENDINGS.get(ending, ending)
    if not at or right not in _MISSPELT:
        return ""
    if right_ending != "com" and not (right in _IN_MANY_LANDS and right_ending in _LANDS):
        if right == name:
            return ""  # somebody else's name may well be the same in another country
        right_ending = "com"
    meant = f"{right}.{right_ending}"
    return "" if meant == domain.lower() else f"{local}@{meant}"


def is_disposable(domain: str) -> bool:
    """Whether this domain, or one that it is part of, gives out addresses to throw away."""
    known, parts = _disposable(), domain.lower().split(".")[-10:]
    return any(".".join(parts[start:]) in known for start in range(len(parts) - 1))


@lru_cache(maxsize=1)
def _disposable() -> set[str]:
    """The list takes milliseconds to load, so it waits until it is wanted."""
    from disposable_email_domains import blocklist

    return blocklist


def _syntax_fault(address: str) -> AddressVerdict | None:
    """Length first: nothing longer than an address may be is read at all. Control characters are refused with it."""
    if len(address) > MAX_ADDRESS_LENGTH:
        return AddressVerdict(Verdict.INVALID, "syntax", "it is too long for an address", _CORRECT)
    # Loading takes a twentieth of a second, which start-up can do without.
    from email_validator import EmailNotValidError, validate_email

    try:
        # Without SMTPUTF8, which hardly any recruiter's host offers; reserved names but .test are refused here.
        validate_email(address, allow_smtputf8=False, strict=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        meant = suggestion(address) if address.count("@") == 1 else ""
        reserved = "special-use" in str(error)
        text = "its domain is reserved and takes no mail" if reserved else f"mail cannot go to it: {error}"
        return AddressVerdict(Verdict.INVALID, "reserved" if reserved else "syntax", text, _fix(meant), meant)
    return None


def _no_mail(domain: DomainMail, meant: str) -> AddressVerdict:
    code, text = _NO_MAIL[domain]
    if meant:
        return AddressVerdict(Verdict.INVALID, "misspelt", f"it looks mistyped, and {text}", _fix(meant), meant)
    return AddressVerdict(Verdict.INVALID, code, text, _CORRECT)


def _fix(meant: str) -> str:
    return f"Write {meant} if that is what is meant." if meant else _CORRECT


def _risk(address: str, meant: str, recently_bounced: bool) -> AddressVerdict | None:
    local = address.rpartition("@")[0].lower().partition("+")[0]
    if meant:
        return AddressVerdict(Verdict.RISKY, "misspelt", "it looks mistyped", _fix(meant), meant)
    if recently_bounced:
        return AddressVerdict(
            Verdict.RISKY,
            "bounced",
            "a mail to it came back lately",
            "Ask the person for another address, or send all the same from the Email Log.",
        )
    if is_disposable(domain_of(address)):
        return AddressVerdict(Verdict.RISKY, "disposable", "its domain gives out addresses to throw away", _CORRECT)
    if local in NO_REPLY:
        return AddressVerdict(Verdict.RISKY, "no_reply", "nobody reads what is sent to it", _CORRECT)
    if local in ROLES:
        return AddressVerdict(
            Verdict.RISKY,
            "role",
            f"“{local}” is a function, not a person: several people may read it, or nobody",
            "Use the person's own address, or send all the same from the Email Log.",
        )
    return None
