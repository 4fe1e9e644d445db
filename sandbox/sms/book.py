"""What the text message provider keeps: the texts, the telephones, and what it is made to do wrong."""

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.sms.switches import FAILURES, SWITCHES

TRIAL_WORDS = "Sent from your Twilio trial account - "


@dataclass(slots=True)
class Text:
    """One message; ``sender`` is a number or a messaging service."""

    to: str
    sender: str
    body: str
    status: str = "queued"
    error_code: int | None = None
    sid: str = field(default_factory=lambda: f"SM{secrets.token_hex(16)}")
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def error_words(self) -> str | None:
        return FAILURES.get(self.error_code) if self.error_code else None


class TextBook:
    """The state behind the stand-in."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.names: dict[str, str] = {}
        self.stopped: set[str] = set()
        self.values: dict[str, bool | str] = {switch.name: switch.well for switch in SWITCHES}
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def take(self, to: str, sender: str, body: str) -> Text:
        """Keeps a message, queued; where it goes from there shows when somebody asks again."""
        text = Text(to, sender, TRIAL_WORDS + body if self.values["trial"] else body)
        self.texts.append(text)
        self.tell()
        return text

    def carry(self, text: Text) -> None:
        """The message arrives, or comes back."""
        if text.status not in ("queued", "accepted"):
            return
        code = str(self.values["undelivered"])
        text.status, text.error_code = ("undelivered", int(code)) if code else ("delivered", None)

    def turn(self, name: str, value: object) -> None:
        """Turns a switch. Raises ValueError: there is none of that name, or the value does not fit."""
        switch = next((one for one in SWITCHES if one.name == name), None)
        if switch is None:
            raise ValueError(f"there is no switch {name}")
        self.values[name] = switch.checked(value)
        self.tell()

    def stop(self, number: str, *, on: bool = True) -> None:
        """The telephone's owner answers STOP, or START where ``on`` is False."""
        (self.stopped.add if on else self.stopped.discard)(plain(number))
        self.tell()

    def name(self, number: str, name: str) -> None:
        """Whose telephone it is, for the page."""
        self.names[plain(number)] = name

    async def wait_until(self, true: Callable[[], bool], timeout: float) -> None:
        """Waits until something becomes true, looking whenever something changed. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not true():
                await self._changed.wait()

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
        for listener in self._listeners:
            listener()


def plain(number: str) -> str:
    """+46 70-174 06 05 as +46701740605."""
    return re.sub(r"[^+\d]", "", number)
