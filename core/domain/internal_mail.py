"""Mail between colleagues: who belongs to our own company, and which mail stays in the house (R73, R224). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.domain.address import match_key
from core.domain.message import Header

# Everybody has an address there: a mailbox at one of them says nothing about the company.
_FREE_MAIL: Final = frozenset(
    """
    126.com 163.com aim.com att.net bellsouth.net bigpond.com bluewin.ch bol.com.br btinternet.com charter.net
    comcast.net cox.net daum.net duck.com earthlink.net email.com fastmail.com fastmail.fm free.fr freenet.de gmail.com
    googlemail.com hanmail.net hey.com home.nl hushmail.com icloud.com inbox.com inbox.lv interia.pl juno.com
    laposte.net libero.it mac.com mail.com mail.de mail.ee mail.ru me.com msn.com naver.com ntlworld.com o2.pl onet.pl
    op.pl optonline.net optusnet.com.au orange.fr pm.me post.cz posteo.de proton.me protonmail.ch protonmail.com
    qq.com rambler.ru rediffmail.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com
    sky.com talktalk.net telenet.be terra.com.br tiscali.it t-online.de tuta.com tuta.io tutanota.com uol.com.br
    verizon.net virgilio.it virginmedia.com vodafone.de wanadoo.fr web.de windowslive.com wp.pl xtra.co.nz ya.ru
    yeah.net ymail.com ziggo.nl zoho.com zohomail.com
    """.split()
)
_FREE_FAMILY: Final = re.compile(r"(?:aol|gmx|hotmail|live|outlook|yahoo|yandex)\.(?:[a-z]{2,3}|com?\.[a-z]{2})")
_DOMAIN: Final = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")


@dataclass(frozen=True, slots=True)
class House:
    """Our company: everybody at ``domains`` and below them, and our own mailboxes (``keys``) wherever they are."""

    domains: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()

    def holds(self, key: str) -> bool:
        """Whether the address with this match key belongs to us."""
        domain = key.rpartition("@")[2]
        while domain and domain not in self.domains:
            domain = domain.partition(".")[2]
        return bool(domain) or key in self.keys


@lru_cache(maxsize=64)
def house_of(mailbox_keys: frozenset[str], further_domains: tuple[str, ...]) -> House:
    """The domains of our mailboxes and those that the workspace names, without free-mail providers and nonsense."""
    named = [*(key.rpartition("@")[2] for key in mailbox_keys), *map(_domain, further_domains)]
    ours = frozenset(one for one in named if _DOMAIN.fullmatch(one) and not is_free_mail(one))
    return House(ours, mailbox_keys)


def is_free_mail(domain: str) -> bool:
    """Whether anybody can have an address at this domain (lower-case ASCII)."""
    return domain in _FREE_MAIL or _FREE_FAMILY.fullmatch(domain) is not None


def is_internal(header: Header, also: Iterable[str], house: House) -> bool:
    """Whether all whom the mail names are ours; ``also`` are match keys from other fields. One that names nobody is
    not judged."""
    senders = (header.from_,) if header.from_ else ()
    parties = {match_key(one.address) for one in (*senders, *header.recipients)} | set(also)
    return bool(parties) and all(house.holds(key) for key in parties)


def _domain(text: str) -> str:
    """What a person typed: agency.test, @agency.test, *.agency.test."""
    return match_key(f"x@{text.strip().lstrip('@*.')}").rpartition("@")[2].rstrip(".")
