"""A stand-in for Twilio's text messages, and the telephones they arrive on."""

from sandbox.sms.book import Text
from sandbox.sms.host import SmsHost

__all__ = ["SmsHost", "Text"]
