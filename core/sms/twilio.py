"""Twilio's Messages resource: https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from core.domain.sms_text import checked
from core.errors import ConnectionLostError, OutcomeUnknownError, ServerRefusedError, SmsRefusedError
from core.ports.sms import SmsReceipt
from core.sms.http import Answer, SmsHttp

API = "https://api.twilio.com"
_PAGE = 100
_MOST_PAGES = 20
_CLOCKS_DIFFER = timedelta(minutes=1)
_MOST_WORDS = 500
# What Twilio puts before the texts of trial accounts.
_TRIAL = "Sent from your Twilio trial account - "
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_STATUS = re.compile(r"[a-z_-]{1,30}")


class TwilioSms:
    """Implements ``ports.SmsTransport``. ``sender`` is a number of the account (E.164) or a messaging service (MG…)."""

    def __init__(self, account: str, token: str, sender: str, http: SmsHttp, *, base: str = API) -> None:
        self._account, self._token, self._sender, self._http = account, token, sender, http
        self._authorization = aiohttp.encode_basic_auth(account, token)
        self._base = base.rstrip("/")
        self._path = f"/2010-04-01/Accounts/{account}/Messages"
        self.host = urlsplit(base).hostname or ""

    async def send(self, *, to: str, text: str, key: str) -> SmsReceipt:
        """Twilio keeps no keys, so ``key`` goes nowhere and an unknown outcome is settled by ``lookup``.

        Smart encoding is declined: the text arrives as it was shown, in the segments that were counted.
        """
        del key
        sender = "MessagingServiceSid" if self._sender.startswith("MG") else "From"
        form = {"To": to, sender: self._sender, "Body": checked(text), "SmartEncoded": "false"}
        try:
            answer = await self._http.ask(
                "POST", f"{self._base}{self._path}.json", authorization=self._authorization, form=form
            )
        except ConnectionLostError as lost:
            raise self._unknown(lost.raw) from None
        if answer.status >= 500:
            raise self._unknown(self._words(answer)[1])
        if answer.status >= 300:
            raise self._refusal(answer)
        receipt = self._receipt(_object(answer))
        if receipt is None:
            raise self._unknown("the answer cannot be understood")
        return receipt

    async def lookup(self, *, to: str, text: str, since: datetime) -> SmsReceipt | None:
        """By recipient alone: DateSent, by which Twilio could narrow the list, is empty until a message has left."""
        for message in await self._sent_to(to):
            if _is_ours(message, to, text) and _made(message) >= since - _CLOCKS_DIFFER:
                receipt = self._receipt(message)
                if receipt is None:
                    raise self._unreadable()
                return receipt
        return None

    async def fetch(self, message_id: str) -> SmsReceipt:
        receipt = self._receipt(await self._get(f"{self._path}/{quote(message_id, safe='')}.json"))
        if receipt is None:
            raise self._unreadable()
        return receipt

    async def _sent_to(self, to: str) -> list[dict[str, Any]]:
        """Every message of the list, as it comes: newest first."""
        found: list[dict[str, Any]] = []
        page: str | None = f"{self._path}.json?{urlencode({'To': to, 'PageSize': _PAGE})}"
        for _ in range(_MOST_PAGES):
            told = await self._get(page)
            messages = told.get("messages")
            if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
                raise self._unreadable()
            found += messages
            page = self._next_page(told)
            if page is None:
                return found
        raise self._unreadable()

    def _next_page(self, told: Mapping[str, Any]) -> str | None:
        """Only within this list: our token goes nowhere else. None where Twilio says that this page was the last."""
        following = told.get("next_page_uri", 0)
        if following is None or following == "":
            return None
        if not isinstance(following, str) or not following.startswith(f"{self._path}.json?"):
            raise self._unreadable()
        return following

    async def _get(self, path: str | None) -> dict[str, Any]:
        answer = await self._http.ask("GET", f"{self._base}{path}", authorization=self._authorization)
        if answer.status != 200:
            raise self._refusal(answer)
        told = _object(answer)
        if told is None:
            raise self._unreadable()
        return told

    def _refusal(self, answer: Answer) -> SmsRefusedError:
        code, words = self._words(answer)
        return SmsRefusedError(
            words, host=self.host, provider_code=code, status=answer.status, retry_after=answer.retry_after
        )

    def _words(self, answer: Answer) -> tuple[int, str]:
        """Twilio's number and message, else the status."""
        told = _object(answer) or {}
        code = _number(told.get("code"))
        message = self._shown(told.get("message")) or f"HTTP {answer.status}"
        return code, f"{code}: {message}" if code else message

    def _receipt(self, message: Mapping[str, Any] | None) -> SmsReceipt | None:
        sid, status = (message or {}).get("sid"), (message or {}).get("status")
        if message is None or not isinstance(sid, str) or not isinstance(status, str):
            return None
        if not _SID.fullmatch(sid) or not _STATUS.fullmatch(status):
            return None
        return SmsReceipt(sid, status, _number(message.get("error_code")), self._shown(message.get("error_message")))

    def _shown(self, words: object) -> str:
        """Twilio's words on one line, without our token."""
        text = " ".join(str(words or "").split())
        for secret in (self._token, self._authorization.partition(" ")[2]):
            text = text.replace(secret, "[hidden]")
        return text[:_MOST_WORDS]

    def _unknown(self, words: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(words, layer="sms", host=self.host)

    def _unreadable(self) -> ServerRefusedError:
        return ServerRefusedError(
            "the text message provider's answer cannot be understood", layer="sms", host=self.host
        )


def _object(answer: Answer) -> dict[str, Any] | None:
    try:
        found = json.loads(answer.text or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(value: object) -> int:
    """A provider's number, also where it is written as a text; 0 where it is none."""
    written = str(value)
    return int(written) if re.fullmatch(r"[0-9]{1,6}", written) else 0


def _is_ours(message: Mapping[str, Any], to: str, text: str) -> bool:
    body = message.get("body")
    if not isinstance(body, str) or message.get("to") != to:
        return False
    outgoing = str(message.get("direction", "")).startswith("outbound")
    return outgoing and _plain(body.removeprefix(_TRIAL)) == _plain(text.removeprefix(_TRIAL))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _made(message: Mapping[str, Any]) -> datetime:
    """RFC 2822. One without a readable time counts as new: better to find a message twice than to send it twice."""
    try:
        made = parsedate_to_datetime(str(message.get("date_created")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return datetime.max.replace(tzinfo=UTC)
    return made if made.tzinfo else made.replace(tzinfo=UTC)
