"""Hands mail to the recruiter's own server, logged in with what is good now."""

from __future__ import annotations

from core.domain.account import Mailbox
from core.errors import LoginRefusedError, NotFoundError, SealedError, StorageError, UnreachableError
from core.ports.mail import Credentials, MailTransport, SendReceipt
from core.ports.signin import PASSWORD
from core.services.credentials import CredentialService
from core.services.mailboxes import endpoint_smtp


class Submission:
    """The transport, and the credentials it logs in with."""

    def __init__(self, transport: MailTransport, credentials: CredentialService) -> None:
        self._transport = transport
        self._credentials = credentials

    async def credentials(self, mailbox: Mailbox, *, anew: bool = False) -> Credentials:
        """Raises MailError kinds, all of them certain: nothing was said to the mail server."""
        try:
            return await self._credentials.of(mailbox.workspace, mailbox, anew=anew)
        except (NotFoundError, SealedError) as error:
            raise LoginRefusedError(error.message, layer="smtp", host=mailbox.smtp_host) from error
        except StorageError as error:
            raise UnreachableError(error.message, layer="smtp", host=mailbox.smtp_host) from error

    async def send(self, mailbox: Mailbox, credentials: Credentials, recipient: str, raw: bytes) -> SendReceipt:
        """Raises what ``MailTransport.send`` raises. An access token may be refused before its time; a refused login
        has handed over nothing, so one new token is tried."""
        try:
            return await self._try(mailbox, credentials, recipient, raw)
        except LoginRefusedError:
            if mailbox.sign_in == PASSWORD:
                raise
        return await self._try(mailbox, await self.credentials(mailbox, anew=True), recipient, raw)

    async def _try(self, mailbox: Mailbox, credentials: Credentials, recipient: str, raw: bytes) -> SendReceipt:
        return await self._transport.send(
            endpoint_smtp(mailbox), credentials, sender=mailbox.address, recipients=[recipient], raw=raw
        )

    async def verify(self, mailbox: Mailbox) -> None:
        """Logs in and out. Raises MailError kinds."""
        credentials = await self.credentials(mailbox)
        try:
            await self._transport.verify(endpoint_smtp(mailbox), credentials)
        except LoginRefusedError:
            if mailbox.sign_in == PASSWORD:
                raise
            await self._transport.verify(endpoint_smtp(mailbox), await self.credentials(mailbox, anew=True))
