"""Who has a mailbox on the host, and what each mailbox is made to do wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

Role = Literal["recruiter", "candidate"]
Provider = Literal["password", "google", "microsoft"]

# The one app password of a Google account, while it has one; Google shows it in groups of four.
APP_PASSWORD = "qwer tyui opas dfgh"

REFUSALS = ("none", "bounce", "reject", "defer", "spam", "full", "drop", "drop_before")


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """One mailbox as it is when the host starts, and again after it was mended."""

    address: str
    name: str
    role: Role
    password: str
    aliases: tuple[str, ...] = ()
    provider: Provider = "password"


def _candidate(address: str, name: str, *aliases: str) -> AccountSeed:
    return AccountSeed(address, name, "candidate", "candidate-pass", aliases)


DEFAULT_ACCOUNTS = (
    AccountSeed("rita@agency.test", "Rita Reed", "recruiter", "rita-mail-pass", ("rita.reed@agency.test",)),
    AccountSeed("omar@agency.test", "Omar Odell", "recruiter", "omar-mail-pass"),
    AccountSeed("rita@sprout.test", "Rita Reed", "recruiter", "rita-google-pass", provider="google"),
    AccountSeed("rita@meridian.test", "Rita Reed", "recruiter", "rita-microsoft-pass", provider="microsoft"),
    _candidate("maya.lind@candidates.example", "Maya Lind", "maya@lindstudio.example"),
    _candidate("jonas.berg@candidates.example", "Jonas Berg"),
    _candidate("priya.raman@candidates.example", "Priya Raman", "priya@ramanworks.example"),
    _candidate("tomas.novak@candidates.example", "Tomas Novak"),
    _candidate("aisha.bello@candidates.example", "Aisha Bello"),
    _candidate("lucas.moreau@candidates.example", "Lucas Moreau"),
    _candidate("hanna.koski@candidates.example", "Hanna Koski"),
    _candidate("diego.santos@candidates.example", "Diego Santos"),
    _candidate("mei.tanaka@candidates.example", "Mei Tanaka"),
    _candidate("owen.price@candidates.example", "Owen Price"),
    _candidate("sara.haddad@candidates.example", "Sara Haddad"),
    _candidate("erik.dahl@candidates.example", "Erik Dahl"),
)


@dataclass(frozen=True, slots=True)
class MailHostConfig:
    """What the host starts with. A port of 0 takes a free one.

    Every address of a ``catch_all_domains`` entry is accepted and counted without a mailbox.
    """

    bind: str = "127.0.0.1"
    accounts: tuple[AccountSeed, ...] = DEFAULT_ACCOUNTS
    catch_all_domains: frozenset[str] = frozenset({"many.example"})
    files_sent: bool = True
    imap_port: int = 0
    imaps_port: int = 0
    smtp_port: int = 0
    smtps_port: int = 0
    smtp_starttls_port: int = 0
    dns_port: int = 0


@dataclass(slots=True)
class Faults:
    """What is wrong with one mailbox. Each field is a switch; a choice that harms nothing is "none"."""

    app_password: bool = False
    sign_in: str = "none"
    imap_off: bool = False
    imap_off_admin: bool = False
    throttled: bool = False
    server: str = "none"
    slow: bool = False
    folder: str = "none"
    silent: bool = False
    deaf: bool = False
    frozen: bool = False
    smtp_off: bool = False
    sending: str = "none"


@dataclass(slots=True)
class Account:
    """The state of one mailbox that switches change while the host runs."""

    seed: AccountSeed
    password: str
    files_sent: bool
    faults: Faults = field(default_factory=Faults)
    ooo: str | None = None
    ooo_answered: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return self.seed.address

    def owns(self, address: str) -> bool:
        """Whether this account may send as ``address``."""
        return normalised(address) in {self.seed.address, *self.seed.aliases}

    def set_ooo(self, text: str | None) -> None:
        """Sets the out-of-office text; every sender is answered afresh."""
        self.ooo = text or None
        self.ooo_answered.clear()

    def restore(self, files_sent: bool) -> None:
        """Puts every switch back to how the account was seeded."""
        self.password = self.seed.password
        self.files_sent = files_sent
        self.faults = Faults()
        self.set_ooo(None)


class Directory:
    """Finds accounts by address or alias, and holds what recipients were told to refuse."""

    def __init__(self, config: MailHostConfig) -> None:
        self._config = config
        self._accounts: dict[str, Account] = {}
        self._by_name: dict[str, Account] = {}
        self._domains: set[str] = set()
        self._refusals: dict[str, str] = {}
        self.catch_all_counts: Counter[str] = Counter()
        for seed in config.accounts:
            self.add(seed)

    def add(self, seed: AccountSeed) -> Account:
        """Opens an account.

        Raises:
            ValueError: one of its addresses is taken.
        """
        names = [normalised(name) for name in (seed.address, *seed.aliases)]
        if taken := [name for name in names if name in self._by_name]:
            raise ValueError(f"{taken[0]} is taken")
        seed = replace(seed, address=names[0], aliases=tuple(names[1:]))
        account = Account(seed, seed.password, self._config.files_sent)
        self._accounts[account.address] = account
        self._by_name |= dict.fromkeys(names, account)
        self._domains |= {domain_of(name) for name in names}
        return account

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def find(self, address: str) -> Account | None:
        return self._by_name.get(normalised(address))

    def hosts(self, domain: str) -> bool:
        return domain in self._domains

    def catches_all(self, address: str) -> bool:
        return domain_of(address) in self._config.catch_all_domains

    def refusal(self, address: str) -> str:
        return self._refusals.get(self._canonical(address), "none")

    def refuse(self, address: str, kind: str) -> None:
        """Makes a recipient refuse mail in one of the ways of ``REFUSALS``.

        Raises:
            ValueError: the way is not known.
        """
        if kind not in REFUSALS:
            raise ValueError(f"refuse takes one of {', '.join(REFUSALS)}")
        self._refusals[self._canonical(address)] = kind

    def restore(self, account: Account) -> None:
        account.restore(self._config.files_sent)
        self._refusals.pop(account.address, None)

    def _canonical(self, address: str) -> str:
        account = self.find(address)
        return account.address if account else normalised(address)


def normalised(address: str) -> str:
    """Addresses are compared without regard to case, as every large provider does."""
    return address.strip().strip("<>").lower()


def domain_of(address: str) -> str:
    return normalised(address).rpartition("@")[2]
