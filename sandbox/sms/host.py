"""The text message provider as one object: start it, look at what it took, break it, mend it."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from aiohttp import web

from sandbox.server import LOOPBACK, SHUTDOWN_SECONDS
from sandbox.sms import routes as http
from sandbox.sms.book import Text, TextBook
from sandbox.sms.twilio import TwilioFace

MAX_REQUEST_BYTES = 64 * 1024


class SmsHost:
    """Twilio's API on loopback, for use as ``async with SmsHost() as sms``. Texts live in memory."""

    def __init__(self) -> None:
        self._book = TextBook()
        self._face = TwilioFace(self._book)
        application = web.Application(client_max_size=MAX_REQUEST_BYTES)
        application.add_routes(self._face.routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self.url = ""

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, LOOPBACK, 0).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        self.url = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._face.release()
        await self._runner.cleanup()

    # -- what the product is told

    @property
    def account_sid(self) -> str:
        return self._face.account_sid

    @property
    def auth_token(self) -> str:
        return self._face.auth_token

    @property
    def number(self) -> str:
        """The number that texts go out from."""
        return self._face.number

    @property
    def service_sid(self) -> str:
        """The messaging service that stands for the number."""
        return self._face.service_sid

    def describe(self) -> dict[str, object]:
        """Everything a program needs to send texts, as JSON can carry it."""
        return {
            "url": self.url,
            "account_sid": self.account_sid,
            "auth_token": self.auth_token,
            "number": self.number,
            "service_sid": self.service_sid,
        }

    # -- looking

    @property
    def texts(self) -> list[Text]:
        """Every text that was taken, oldest first."""
        return self._book.texts

    def texts_to(self, number: str) -> list[str]:
        """What stands on one telephone, oldest first."""
        return [text.body for text in self._book.texts if text.to == number and text.status != "undelivered"]

    @property
    def stopped(self) -> set[str]:
        """Numbers whose owners answered STOP."""
        return self._book.stopped

    @property
    def switches(self) -> Mapping[str, bool | str]:
        """What each switch stands on."""
        return self._book.values

    async def wait_until(self, true: Callable[[], bool], timeout: float = 5.0) -> None:
        """Waits until something about the provider becomes true. TimeoutError where it does not."""
        await self._book.wait_until(true, timeout)

    # -- faults

    def turn(self, switch: str, value: object) -> None:
        """Turns a switch (``switches``). Raises ValueError: there is none of that name, or the value does not fit."""
        self._book.turn(switch, value)

    def stop(self, number: str, *, on: bool = True) -> None:
        """The telephone's owner answers STOP: further texts to it are refused; ``on`` False: START."""
        self._book.stop(number, on=on)

    # -- the page

    def name_phones(self, owners: Mapping[str, str]) -> None:
        """Whose telephones the page shows, before they have got a text: number to name."""
        for number, name in owners.items():
            self._book.name(number, name)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls ``listener`` whenever a text came or a switch was turned."""
        self._book.on_change(listener)

    def routes(self) -> list[web.RouteDef]:
        """The HTTP API under /sandbox/sms, for the workspace page's server."""
        return http.routes(self._book)
