"""Twilio's Messages resource, as far as sending and finding texts goes.

https://www.twilio.com/docs/messaging/api/message-resource
"""

import asyncio
import base64
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from urllib.parse import urlencode

from aiohttp import web

from sandbox.sms.book import Text, TextBook
from sandbox.sms.switches import REFUSALS

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_MOST_CHARACTERS = 1_600
_BIGGEST_PAGE = 1_000
_VERSION = "2010-04-01"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RefusedError(Exception):
    """The request is answered with one of the provider's numbers."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class TwilioFace:
    """The HTTP face of one account with one number and one messaging service."""

    def __init__(self, book: TextBook) -> None:
        self._book = book
        self.account_sid = f"AC{secrets.token_hex(16)}"
        self.auth_token = secrets.token_hex(16)
        self.service_sid = f"MG{secrets.token_hex(16)}"
        self.number = "+12025550100"
        self._closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        base = f"/{_VERSION}/Accounts/{{account}}/Messages"
        return [
            web.post(f"{base}.json", self._guarded(self._create)),
            web.get(f"{base}.json", self._guarded(self._list)),
            web.get(f"{base}/{{sid}}.json", self._guarded(self._fetch)),
        ]

    def release(self) -> None:
        """Ends the silence of requests that are kept waiting."""
        self._closing.set()

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._check_account(request)
                if self._book.values["down"]:
                    return web.Response(status=503, text="<html>Service Unavailable</html>", content_type="text/html")
                if self._book.values["throttled"]:
                    raise RefusedError(20429)  # noqa: TRY301 (one place turns numbers into answers)
                return await handler(request)
            except RefusedError as refused:
                return _refusal(refused.code)

        return answer

    def _check_account(self, request: web.Request) -> None:
        kind, _, proof = request.headers.get("Authorization", "").partition(" ")
        wanted = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        if kind.lower() != "basic" or not hmac.compare_digest(proof.encode(), wanted.encode()):
            raise RefusedError(20003)
        if request.match_info["account"] != self.account_sid:
            raise RefusedError(20404)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        to, sender, body = self._checked(form)
        how = self._book.values["answer"]
        if how == "lost":
            return _cut(request)
        text = self._book.take(to, sender, body)
        told = self._resource(text)
        self._book.carry(text)
        self._book.tell()
        match how:
            case "silent":
                await self._closing.wait()
                return _cut(request)
            case "cut":
                return _cut(request)
            case "nonsense":
                return web.Response(status=201, text="<<< queued >>>")
            case "endless":
                return await _endless(request)
        return web.json_response(told, status=201)

    def _checked(self, form: dict[str, str]) -> tuple[str, str, str]:
        """To, sender and body. Raises RefusedError."""
        to, sender, body = form.get("To", ""), form.get("MessagingServiceSid") or form.get("From", ""), form.get("Body")
        problems = (
            (21604, not to),
            (21603, not sender),
            (21602, not body),
            (21211, not _E164.fullmatch(to)),
            (21606, sender not in (self.number, self.service_sid)),
            (21617, len(body or "") > _MOST_CHARACTERS),
            (21610, to in self._book.stopped),
        )
        for code, wrong in problems:
            if wrong:
                raise RefusedError(code)
        if refusal := self._book.values["refuse"]:
            raise RefusedError(int(refusal))
        return to, sender, body or ""

    async def _list(self, request: web.Request) -> web.StreamResponse:
        to, sender = request.query.get("To"), request.query.get("From")
        size, page = _count(request, "PageSize", 50), _count(request, "Page", 0)
        size = min(max(size, 1), _BIGGEST_PAGE)
        fitting = [
            text
            for text in reversed(self._book.texts)
            if (not to or text.to == to) and (not sender or text.sender == sender)
        ]
        more = len(fitting) > (page + 1) * size
        following = {**request.query, "PageSize": str(size), "Page": str(page + 1), "PageToken": f"PASM{page + 1}"}
        return web.json_response(
            {
                "messages": [self._resource(text) for text in fitting[page * size : (page + 1) * size]],
                "next_page_uri": f"{request.path}?{urlencode(following)}" if more else None,
                "page": page,
                "page_size": size,
                "uri": request.path_qs,
            }
        )

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        for text in self._book.texts:
            if text.sid == request.match_info["sid"]:
                return web.json_response(self._resource(text))
        raise RefusedError(20404)

    def _resource(self, text: Text) -> dict[str, object]:
        by_service = text.sender == self.service_sid
        waiting = text.status == "queued"
        made = format_datetime(text.created)
        return {
            "sid": text.sid,
            "account_sid": self.account_sid,
            "messaging_service_sid": text.sender if by_service else None,
            "from": None if by_service and waiting else self.number,
            "to": text.to,
            "body": text.body,
            "status": "accepted" if by_service and waiting else text.status,
            "direction": "outbound-api",
            "date_created": made,
            "date_updated": made,
            "date_sent": None if waiting else made,
            "error_code": text.error_code,
            "error_message": text.error_words,
            "num_media": "0",
            "num_segments": "0" if by_service else "1",
            "price": None,
            "price_unit": "USD",
            "api_version": _VERSION,
            "uri": f"/{_VERSION}/Accounts/{self.account_sid}/Messages/{text.sid}.json",
        }


def _refusal(code: int) -> web.Response:
    status, words = REFUSALS[code]
    told = {"code": code, "message": words, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return web.json_response(told, status=status, headers={"Retry-After": "1"} if status == 429 else None)


def _count(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, "")
    return int(value) if re.fullmatch(r"[0-9]{1,6}", value) else default


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(status=201)
    await answer.prepare(request)
    try:
        while True:
            await answer.write(b" " * 65_536)
    except ConnectionError:
        return answer
