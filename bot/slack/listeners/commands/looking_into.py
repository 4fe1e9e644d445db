"""/mailbox log, check, test, escalate: finding out what is wrong, or that nothing is."""

from __future__ import annotations

from bot.slack import command_parser as asked
from bot.slack.blocks import domain_check, mailbox_reports
from bot.slack.blocks.kit import Card
from bot.slack.listeners.escalating import Escalations
from bot.slack.listeners.mailbox_facts import one_mailbox
from bot.slack.uses import Desk, Services
from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.errors import RefusedError

Request = asked.MailboxLog | asked.CheckDomain | asked.TryMailbox | asked.EscalateMailbox


class LookingInto:
    """Every answer is for the asker alone. Raises RethreadError kinds."""

    def __init__(self, desk: Desk, services: Services) -> None:
        self._services = services
        self._escalations = Escalations(desk, services)

    async def answer(self, actor: Actor, request: Request) -> Card:
        match request:
            case asked.MailboxLog(address):
                mailbox = await self._one(actor, address)
                return mailbox_reports.mailbox_log(mailbox, await self._services.mailboxes.log(actor, mailbox.id))
            case asked.CheckDomain(domain):
                return await self._check(actor, domain)
            case asked.TryMailbox(addresses):
                return await self._test(actor, addresses)
            case asked.EscalateMailbox(address):
                return await self._escalations.of_mailbox(actor, await self._one(actor, address))

    async def _one(self, actor: Actor, address: str | None) -> Mailbox:
        return await one_mailbox(self._services.mailboxes, actor, address)

    async def _check(self, actor: Actor, domain: str | None) -> Card:
        """Public records, so anybody may look at any domain's."""
        if domain:
            return domain_check.domain_report(await self._services.domains.check_domain(domain))
        mailbox = await self._one(actor, None)
        report = await self._services.domains.check_domain(mailbox.address, connected=mailbox.provider)
        return domain_check.domain_report(report)

    async def _test(self, actor: Actor, addresses: tuple[str, ...]) -> Card:
        """One address alone is the mailbox if it is one of the person's own, else where the test goes; without that it
        goes to another connected mailbox, where it is looked for."""
        if self._services.care is None:
            raise RefusedError("Rethread cannot send test mails here.", reason="not_offered")
        mine = {one.address.lower() for one in await self._services.mailboxes.list(actor, mine=True)}
        named = addresses[:1] if len(addresses) == 2 or (addresses[:1] and addresses[0].lower() in mine) else ()
        mailbox = await self._one(actor, named[0] if named else None)
        to = next(iter(addresses[len(named) :]), None)
        _require_elsewhere(mailbox, to)
        return mailbox_reports.mail_tested(mailbox, await self._services.care.send_test(actor, mailbox.id, to))


def _require_elsewhere(mailbox: Mailbox, to: str | None) -> None:
    """A mail to oneself proves nothing: many servers never send it out (R18). Raises RefusedError."""
    if to is not None and to.strip().lower() == mailbox.address.lower():
        fix = f"Type /mailbox test {mailbox.address} and an address elsewhere that you can look into."
        raise RefusedError(
            "A test goes to another address: mail to itself proves nothing.", reason="test_self", fix=fix
        )
