"""The HTTP API of the mail panel: read a mailbox, answer as its owner, turn its switches."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.mail.accounts import APP_PASSWORD, Account
from sandbox.mail.compose import compose
from sandbox.mail.imap_store import StoredMail
from sandbox.mail.message import first_address
from sandbox.mail.sites import named
from sandbox.mail.switches import SWITCHES, switches_for

if TYPE_CHECKING:
    from sandbox.mail.host import MailHost

Handler = Callable[[web.Request], Awaitable[web.Response]]
Action = Callable[["MailHost", dict[str, Any]], Awaitable[dict[str, object]]]


class ApiError(Exception):
    """A request that cannot be served; becomes ``{error, message}`` with its HTTP status."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message


def routes(host: "MailHost") -> list[web.RouteDef]:
    """Every route of the panel, bound to one host."""
    posts: dict[str, Action] = {
        "reply": _reply,
        "compose": _compose,
        "ooo": _set_ooo,
        "switch": _switch,
        "mend": _mend,
        "seen": _seen,
    }
    return [
        web.get("/mail/accounts", _guarded(lambda _: _accounts(host))),
        web.get("/mail/messages", _guarded(lambda request: _messages(host, request))),
        *(web.post(f"/mail/{name}", _posting(host, action)) for name, action in posts.items()),
    ]


def _guarded(handler: Callable[[web.Request], Awaitable[dict[str, object]]]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            return web.json_response(await handler(request))
        except ApiError as failure:
            told = {"error": failure.error, "message": failure.message}
            return web.json_response(told, status=failure.status)

    return answer


def _posting(host: "MailHost", action: Action) -> Handler:
    async def handle(request: web.Request) -> dict[str, object]:
        try:
            body = await request.json()
        except ValueError as wrong:
            raise ApiError(400, "bad_json", "The request is not JSON.") from wrong
        if not isinstance(body, dict):
            raise ApiError(400, "bad_json", "The request is not a JSON object.")
        return {"ok": True, **await action(host, body)}

    return _guarded(handle)


async def _accounts(host: "MailHost") -> dict[str, object]:
    return {
        "accounts": [_account(host, account) for account in host.directory],
        "switch_help": {name: switch.described() for name, switch in SWITCHES.items()},
    }


def _account(host: "MailHost", account: Account) -> dict[str, object]:
    return {
        "address": account.address,
        "name": account.seed.name,
        "role": account.seed.role,
        "password": account.password,
        "provider": account.seed.provider,
        "imap": host.imap_address,
        "smtp": host.smtp_address,
        "facts": _facts(host, account),
        "switches": {switch.name: switch.read(host, account) for switch in switches_for(account)},
        "ooo": account.ooo,
        "unread": host.folder(account.address).unseen,
    }


def _facts(host: "MailHost", account: Account) -> list[dict[str, str]]:
    """What a person types to connect this mailbox, as terms with their values."""
    site, (imap_host, smtp_host) = host.site(account), host.host_names(account)
    told = {
        "User name": account.address,
        "Password": account.password,
        "App password": APP_PASSWORD if account.faults.app_password else "",
        "IMAP (TLS)": named(imap_host, site.imaps_address),
        "SMTP (TLS)": named(smtp_host, site.smtps_address),
        "SMTP (STARTTLS)": named(smtp_host, site.smtp_starttls_address),
    }
    return [{"term": term, "value": value} for term, value in told.items() if value]


async def _messages(host: "MailHost", request: web.Request) -> dict[str, object]:
    account = _find_account(host, request.query.get("address"))
    try:
        mails = host.messages(account.address, request.query.get("folder", "INBOX"))
    except KeyError as missing:
        raise ApiError(404, "no_folder", "The mailbox has no such folder.") from missing
    return {"messages": [_message(mail) for mail in reversed(mails)]}


def _message(mail: StoredMail) -> dict[str, object]:
    return {
        "uid": mail.uid,
        "from": mail.header("From"),
        "to": mail.header("To"),
        "subject": mail.subject,
        "date": _iso(mail.date or mail.received),
        "text": mail.text,
        "message_id": mail.message_id,
        "seen": mail.seen,
    }


async def _reply(host: "MailHost", body: dict[str, Any]) -> dict[str, object]:
    account, mail = _find_mail(host, body)
    sender = _address(body, "from") if body.get("from") else None
    if not mail.reply_address:
        raise ApiError(400, "nobody_to_answer", "The mail names nobody to answer.")
    return {"message_id": await host.reply(account.address, mail, _text(body, "text"), sender)}


async def _compose(host: "MailHost", body: dict[str, Any]) -> dict[str, object]:
    sender = _address(body, "from")
    recipients = [first_address(part) for part in _text(body, "to").split(",")]
    if not all(recipients):
        raise ApiError(400, "bad_address", "to takes addresses with commas between them.")
    account = host.directory.find(sender)
    name = account.seed.name if account else ""
    raw = compose(sender, recipients, _text(body, "subject"), _text(body, "text"), name=name)
    await host.send(sender, tuple(recipients), raw)
    return {}


async def _set_ooo(host: "MailHost", body: dict[str, Any]) -> dict[str, object]:
    return await _switch(host, {"address": body.get("address"), "name": "ooo", "value": body.get("text")})


async def _switch(host: "MailHost", body: dict[str, Any]) -> dict[str, object]:
    account = _find_account(host, body.get("address"))
    try:
        await host.switch(account.address, _text(body, "name"), body.get("value"))
    except ValueError as wrong:
        raise ApiError(400, "bad_switch", str(wrong)) from wrong
    return {}


async def _mend(host: "MailHost", body: dict[str, Any]) -> dict[str, object]:
    host.mend(_find_account(host, body.get("address")).address)
    return {}


async def _seen(host: "MailHost", body: dict[str, Any]) -> dict[str, object]:
    account, mail = _find_mail(host, body)
    await host.folder(account.address, body.get("folder") or "INBOX").mark_seen(mail.uid)
    return {}


def _find_account(host: "MailHost", address: object) -> Account:
    account = host.directory.find(address) if isinstance(address, str) else None
    if account is None:
        raise ApiError(404, "no_account", "There is no mailbox with this address.")
    return account


def _find_mail(host: "MailHost", body: dict[str, Any]) -> tuple[Account, StoredMail]:
    account = _find_account(host, body.get("address"))
    uid, folder = body.get("uid"), body.get("folder") or "INBOX"
    try:
        mail = host.find_message(account.address, uid, folder) if isinstance(uid, int) else None
    except (KeyError, AttributeError):
        mail = None
    if mail is None:
        raise ApiError(404, "no_message", "The mailbox has no such mail.")
    return account, mail


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str):
        raise ApiError(400, "missing_field", f"{field} takes a text.")
    return value


def _address(body: dict[str, Any], field: str) -> str:
    address = first_address(_text(body, field))
    if not address:
        raise ApiError(400, "bad_address", f"{field} takes an address.")
    return address


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
