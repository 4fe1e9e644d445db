"""Text messages (SMS), as the services need them. Implemented in core/sms, by a fake in tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SmsReceipt:
    """A message that the provider has: its id there, and the provider's word for where it is.

    ``status`` is queued, accepted, sending, sent, delivered, undelivered, failed or canceled at Twilio. The last three
    come with ``error_code`` (0: none), which ``sms_codes.classify`` reads.
    """

    id: str
    status: str
    error_code: int = 0
    error_text: str = ""

    @property
    def failed(self) -> bool:
        """The provider took the message, and has given it up since."""
        return self.status in ("failed", "undelivered", "canceled")


class SmsTransport(Protocol):
    """One account at one provider. Every method raises ``core.errors.MailError`` kinds only, within its time limit."""

    async def send(self, *, to: str, text: str, key: str) -> SmsReceipt:
        """Hands one message over. ``to`` is in E.164; ``key`` names this delivery for providers that keep keys.

        Raises UnreachableError (certainly not sent: no conversation took place), SmsRefusedError (certainly not sent,
        in the provider's words), OutcomeUnknownError (silence, or an answer nobody can read, once the request was
        under way: settle it with ``lookup``; cancellation counts too), and InputError for a text that cannot be sent.
        """
        ...

    async def lookup(self, *, to: str, text: str, since: datetime) -> SmsReceipt | None:
        """The newest message of ours to ``to`` with this text, made at ``since`` or later (aware; a minute of
        difference between the clocks is allowed for). None: the provider's whole list was read, and it is not there.
        A list may lag by seconds, so look some time after the send.

        Raises UnreachableError, ConnectionLostError, ServerRefusedError: nothing was learned.
        """
        ...

    async def fetch(self, message_id: str) -> SmsReceipt:
        """What became of a message since. Raises as ``lookup``; SmsRefusedError with status 404: there is none."""
        ...
