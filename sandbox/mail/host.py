"""The mail host as one object: start it, look into it, break it, mend it."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme
from aiohttp import web

from sandbox.mail import routes as http
from sandbox.mail.accounts import Account, AccountSeed, Directory, MailHostConfig, Provider, domain_of, normalised
from sandbox.mail.compose import reply_to
from sandbox.mail.delivery import Delivery
from sandbox.mail.dns_server import DnsServer, Zones
from sandbox.mail.imap_server import ImapServer
from sandbox.mail.imap_store import Folder, FolderSet, StoredMail
from sandbox.mail.ledger import Accepted, Ledger, LoginAttempt, Rejected
from sandbox.mail.message import ReadableMail
from sandbox.mail.refusals import CLOSED
from sandbox.mail.sign_in import Gate
from sandbox.mail.sites import Site, make_sites
from sandbox.mail.smtp_server import Scripts, SmtpHandler, SmtpServer
from sandbox.mail.switches import SWITCHES
from sandbox.mail.tokens import TokenBook

_log = logging.getLogger(__name__)

MailPredicate = Callable[[StoredMail], bool]


class MailHost:
    """IMAP, SMTP submission and DNS on loopback, for use as ``async with MailHost() as host``.

    Mail lives in memory and is gone when the host closes. Addresses are texts "host:port";
    times are seconds. Every method taking an address raises KeyError where no account has it.
    """

    def __init__(self, config: MailHostConfig | None = None) -> None:
        self.config = config or MailHostConfig()
        self.directory: Directory = Directory(self.config)
        self.zones: Zones = Zones()
        self._ledger = Ledger()
        self._listeners: list[Callable[[str], None]] = []
        self._folders: dict[str, FolderSet] = {}
        for account in self.directory:
            self._open_folders(account)
        self.tokens: TokenBook = TokenBook()
        self._delivery = Delivery(self.directory, self._folders)
        self._scripts = Scripts()
        gate = Gate(self.directory, self.tokens)
        self._imap = ImapServer(gate, self._folders, self._ledger)
        handler = SmtpHandler(self.directory, gate, self._ledger, self._scripts, self._delivery.carry)
        self._smtp = SmtpServer(handler, self._ledger)
        self._dns = DnsServer(self.zones)
        self._folder = tempfile.TemporaryDirectory(prefix="mail-host-")
        self.ca_file = str(Path(self._folder.name) / "ca.pem")

    async def __aenter__(self) -> Self:
        self.sites = self._make_sites()
        try:
            await self._open_own()
            await self._open_google()
            await self._open_microsoft()
            self.dns_address = self._at(await self._dns.listen(self.config.bind, self.config.dns_port))
        except BaseException:
            await self.close()
            raise
        self._publish_services()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes every port and connection."""
        await self._imap.close()
        await self._smtp.close()
        await self._dns.close()
        self._folder.cleanup()

    # -- looking

    @property
    def accepted(self) -> list[Accepted]:
        """Every SMTP transaction the host took, oldest first."""
        return self._ledger.accepted

    @property
    def rejected(self) -> list[Rejected]:
        """Every refusal during an SMTP transaction, oldest first."""
        return self._ledger.rejected

    @property
    def logins(self) -> list[LoginAttempt]:
        """Every attempt to sign in by IMAP or SMTP, oldest first."""
        return self._ledger.logins

    def add_account(self, seed: AccountSeed) -> Account:
        """Opens a mailbox while the host runs. ValueError where one of its addresses is taken."""
        account = self.directory.add(seed)
        self._open_folders(account)
        self._tell(account.address)
        return account

    def account(self, address: str) -> Account:
        found = self.directory.find(address)
        if found is None:
            raise KeyError(address)
        return found

    def folder(self, address: str, name: str = "INBOX") -> Folder:
        """One folder of an account. KeyError also where the folder is unknown."""
        return self._folders[self.account(address).address].folder(name)

    def messages(self, address: str, folder: str = "INBOX") -> list[StoredMail]:
        """What lies in a folder, oldest first."""
        return self.folder(address, folder).mails()

    def find_message(self, address: str, uid: int, folder: str = "INBOX") -> StoredMail | None:
        return next((mail for mail in self.messages(address, folder) if mail.uid == uid), None)

    def connection_count(self, address: str) -> int:
        """How many IMAP connections are signed in, or trying to, as this account."""
        return len(self._imap.connections(self.account(address).address))

    def withheld(self, address: str) -> int:
        """How many untagged replies IDLE has not been told while the account is deaf."""
        return sum(len(one.withheld) for one in self._imap.connections(self.account(address).address))

    def describe(self) -> dict[str, object]:
        """Where everything is and who can sign in, as JSON can carry it."""
        return {
            "imap": self.imap_address,
            "imaps": self.imaps_address,
            "smtp": self.smtp_address,
            "smtps": self.smtps_address,
            "smtp_starttls": self.smtp_starttls_address,
            "dns": self.dns_address,
            "sites": {provider: site.described() for provider, site in self.sites.items()},
            "ca_file": self.ca_file,
            "accounts": [asdict(account.seed) | {"password": account.password} for account in self.directory],
        }

    # -- waiting

    async def wait_until(self, true: Callable[[], bool], timeout: float = 30.0) -> None:
        """Waits until something about the host becomes true. TimeoutError where it does not."""
        await self._ledger.wait_for(lambda: true() or None, timeout)

    def wake(self) -> None:
        """Makes every waiter look again: for what is kept beside the host and changed."""
        self._ledger.wake()

    async def wait_accepted(
        self, predicate: Callable[[Accepted], bool] = lambda _: True, timeout: float = 30.0
    ) -> Accepted:
        """The first accepted transaction that fits, past or to come."""
        return await self._ledger.wait_for(lambda: next(filter(predicate, self._ledger.accepted), None), timeout)

    async def wait_inbox(
        self,
        address: str,
        predicate: MailPredicate = lambda _: True,
        timeout: float = 30.0,
        folder: str = "INBOX",
    ) -> StoredMail:
        """The first mail of a folder that fits, there already or to come."""
        return await self._ledger.wait_for(
            lambda: next(filter(predicate, self.messages(address, folder)), None), timeout
        )

    async def wait_idle(self, address: str, folder: str = "INBOX", timeout: float = 30.0) -> None:
        """Waits until a client stands in IDLE on a folder of this account."""
        owner = self.account(address).address
        await self.wait_until(lambda: self._imap.idling(owner, folder), timeout)

    # -- mail from outside

    async def deliver(self, raw: bytes, to: str, folder: str = "INBOX") -> StoredMail:
        """Puts a mail into a folder as it is, past every switch and record."""
        return await self._delivery.store(self.account(to), raw, folder)

    async def send(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> bytes:
        """Sends a mail as any mail program would, by the same rules but without SMTP and the record.

        Returns the mail as it was delivered, less its trace headers.
        """
        return await self._delivery.carry(normalised(sender), recipients, raw)

    async def reply(
        self,
        address: str,
        to_message: ReadableMail | bytes,
        text: str,
        from_: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Answers a mail from ``address``, which needs no account; returns the answer's Message-ID.

        ``from_`` is another address the person answers from, ``headers`` adds or replaces some.
        """
        original = to_message if isinstance(to_message, ReadableMail) else ReadableMail(to_message)
        sender = from_ or address
        account = self.directory.find(address)
        name = account.seed.name if account else ""
        raw = reply_to(original, sender, text, name=name, headers=headers)
        await self.send(sender, (original.reply_address,), raw)
        return ReadableMail(raw).message_id

    # -- faults

    async def switch(self, address: str, name: str, value: bool | str | None = None) -> None:
        """Turns a switch of an account.

        Raises:
            KeyError: no such account.
            ValueError: the account has no such switch, or the value does not fit.
        """
        account = self.account(address)
        switch = SWITCHES.get(name)
        if switch is None or not switch.fits(account):
            raise ValueError(f"{account.address} has no switch {name}")
        await switch.turn(self, account, switch.checked(value))
        self._hear(account)
        self._tell(account.address)

    def mend(self, address: str) -> None:
        """Turns every switch of the account, of its servers and of its domain's DNS back to how it began."""
        account = self.account(address)
        self.directory.restore(account)
        self._scripts.clear(account.address)
        self.zones.break_domain(domain_of(account.address), "none")
        self.present_certificate(account, "none")
        for name in self.host_names(account):
            self.zones.break_domain(name, "none")
        self.release(account)
        self._hear(account)
        self._tell(account.address)

    def site(self, account: Account) -> Site:
        """The servers at which the account lives."""
        return self.sites[account.seed.provider]

    def host_names(self, account: Account) -> tuple[str, str]:
        """The names of the account's IMAP and SMTP servers."""
        if account.seed.provider == "password":
            domain = domain_of(account.address)
            return f"imap.{domain}", f"smtp.{domain}"
        return self.site(account).imap_host, self.site(account).smtp_host

    def present_certificate(self, account: Account, fault: str) -> None:
        """Makes the certificate of the account's servers bad (``sites.CERTIFICATE_FAULTS``) from now on."""
        self.site(account).certificate.present(fault)

    def drop_site(self, account: Account) -> None:
        """Resets the connections of every account at the same servers, so that all must connect again."""
        for other in self.directory:
            if other.seed.provider == account.seed.provider:
                self.drop_connections(other.address)

    def release(self, account: Account) -> asyncio.Task[None]:
        """Begins to file what was held back while the account was frozen."""
        return self._delivery.release(account)

    def refuse(self, address: str, kind: str) -> None:
        """Makes any recipient, with or without an account, refuse mail (``accounts.REFUSALS``)."""
        self.directory.refuse(address, kind)

    def script(self, stage: str, address: str, reply: str, times: int | None = 1) -> None:
        """Puts in an SMTP reply, for good where ``times`` is None.

        ``stage`` is "mail" (``address`` is the sender), "rcpt" or "data" (the recipient).
        """
        if stage not in ("mail", "rcpt", "data"):
            raise ValueError("stage is mail, rcpt or data")
        self._scripts.put(stage, address, reply, times)

    async def change_uidvalidity(self, address: str, folder: str = "INBOX") -> int:
        """Renumbers a folder, Gmail's All Mail with INBOX, and signs everybody out; returns the new UIDVALIDITY."""
        account = self.account(address)
        if account.seed.provider == "google" and folder.upper() == "INBOX":
            await self._folders[account.address].renumber("All")
        renumbered = await self._folders[account.address].renumber(folder)
        self.sign_out(account.address, "Mailbox was restored, please login again.")
        return renumbered.uid_validity

    def sign_out(self, address: str, words: str) -> None:
        """Ends every connection of an account from the server's side: BYE, or 421."""
        for connection in self._imap.connections(address):
            connection.say_goodbye(words)
        self.end_submission(address)

    def end_submission(self, address: str) -> None:
        """Ends every SMTP connection of an account with 421."""
        for client in self._smtp.connections_of(address):
            client.say_goodbye(CLOSED)

    def drop_connections(self, address: str) -> None:
        """Resets every connection of an account without a word."""
        for connection in self._imap.connections(address):
            connection.abort()
        for client in self._smtp.connections_of(address):
            client.abort()

    # -- the page

    def routes(self) -> list[web.RouteDef]:
        """The HTTP API under /mail, for an aiohttp application."""
        return http.routes(self)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Calls ``listener`` with an account's address whenever its mail or switches changed."""
        self._listeners.append(listener)

    def _hear(self, account: Account) -> None:
        """Lets IDLE tell what it kept back, once the account is no longer deaf."""
        if not account.faults.deaf:
            for connection in self._imap.connections(account.address):
                connection.hear()

    def _open_folders(self, account: Account) -> None:
        self._folders[account.address] = FolderSet(lambda: self._tell(account.address), account.seed.provider)

    def _tell(self, address: str) -> None:
        self._ledger.wake()
        for listener in self._listeners:
            try:
                listener(address)
            except Exception:
                # A listener's fault must not lose the mail that is being delivered.
                _log.exception("a listener failed")

    # -- setting up

    def _at(self, port: int) -> str:
        return f"{self.config.bind}:{port}"

    def _make_sites(self) -> dict[Provider, Site]:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        own = {domain_of(one.address) for one in self.directory if one.seed.provider == "password"}
        return make_sites(authority, sorted(own))

    async def _open_own(self) -> None:
        config, site = self.config, self.sites["password"]
        context = site.certificate.context
        self.imap_address = self._at(await self._imap.listen(config.bind, config.imap_port))
        self.imaps_address = self._at(await self._imap.listen(config.bind, config.imaps_port, context))
        self.smtp_address = self._at(await self._smtp.listen(config.bind, config.smtp_port))
        self.smtps_address = self._at(await self._smtp.listen(config.bind, config.smtps_port, tls=context))
        self.smtp_starttls_address = self._at(
            await self._smtp.listen(config.bind, config.smtp_starttls_port, starttls=context)
        )
        site.imaps_address, site.smtps_address = self.imaps_address, self.smtps_address
        site.smtp_starttls_address = self.smtp_starttls_address

    async def _open_google(self) -> None:
        site, bind = self.sites["google"], self.config.bind
        context = site.certificate.context
        site.imaps_address = self._at(await self._imap.listen(bind, 0, context, "google"))
        site.smtps_address = self._at(await self._smtp.listen(bind, 0, tls=context, provider="google"))
        site.smtp_starttls_address = self._at(await self._smtp.listen(bind, 0, starttls=context, provider="google"))

    async def _open_microsoft(self) -> None:
        """Microsoft takes submissions by STARTTLS alone."""
        site, bind = self.sites["microsoft"], self.config.bind
        context = site.certificate.context
        site.imaps_address = self._at(await self._imap.listen(bind, 0, context, "microsoft"))
        site.smtp_starttls_address = self._at(await self._smtp.listen(bind, 0, starttls=context, provider="microsoft"))

    def _publish_services(self) -> None:
        """SRV records by which a mail program finds the ports (RFC 6186, RFC 8314)."""
        services = {
            "_imaps": ("imap", self.imaps_address),
            "_imap": ("imap", self.imap_address),
            "_submissions": ("smtp", self.smtps_address),
            "_submission": ("smtp", self.smtp_starttls_address),
        }
        own = [one for one in self.directory if one.seed.role == "recruiter" and one.seed.provider == "password"]
        for domain in {domain_of(account.address) for account in own}:
            for service, (name, address) in services.items():
                port = address.rpartition(":")[2]
                self.zones.set(f"{service}._tcp.{domain}", "SRV", f"0 1 {port} {name}.{domain}.")
