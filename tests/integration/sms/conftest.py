"""The stand-in of the text message provider, and the real adapter for it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from core.sms.http import SmsHttp
from core.sms.twilio import TwilioSms
from sandbox.sms import SmsHost

MAYA = "+46701740605"
JONAS = "+4722550102"


def long_ago() -> datetime:
    return datetime(2020, 1, 1, tzinfo=UTC)


def adapter(sms: SmsHost, *, timeout: float = 5.0, token: str = "", sender: str = "", base: str = "") -> TwilioSms:
    http = SmsHttp(ssl.create_default_context(), timeout=timeout)
    return TwilioSms(sms.account_sid, token or sms.auth_token, sender or sms.number, http, base=base or sms.url)


@pytest.fixture
async def sms() -> AsyncIterator[SmsHost]:
    async with SmsHost() as host:
        yield host


@pytest.fixture
def twilio(sms: SmsHost) -> TwilioSms:
    return adapter(sms)
