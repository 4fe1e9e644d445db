"""A mail provider on loopback: IMAP, SMTP submission and DNS, with switches that break it."""

from sandbox.mail.accounts import AccountSeed, MailHostConfig
from sandbox.mail.host import MailHost

__all__ = ["AccountSeed", "MailHost", "MailHostConfig"]
