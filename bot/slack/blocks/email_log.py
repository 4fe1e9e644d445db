"""The Email Log: every attempt with its status, reason and the server's words; cancel and retry from there
(R143, R144, R163..R169, R218). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Json
from bot.slack.blocks.text import escaped, local_time
from core.domain.delivery import SHOWN, DeliveryState, shown
from core.domain.moment import iso
from core.domain.prospect_query import LogQuery, Page, log_states
from core.domain.reasons import reason
from core.ports.storage import LogLine, LogPage
from core.services.email_log import failed_even_so

LINES: Final = 10
ANY: Final = "any"
_STATUSES: Final = tuple(dict.fromkeys(SHOWN.values()))
_MARKS: Final = {
    "Waiting": ":hourglass_flowing_sand:",
    "Sending": ":arrow_forward:",
    "Sent": ":white_check_mark:",
    "Uncertain": ":grey_question:",
    "Not Delivered": ":red_circle:",
}
_KINDS: Final = {"sms": "text message", "call": "a call to make", "task": "a task"}
_NO_INBOX: Final = (
    "This is a log, not an inbox: answer from your own mailbox. That keeps the thread, and Rethread logs it where the "
    "address is on the profile and the mailbox is synced."
)
_SENT: Final = "Sent is gone: it cannot be recalled or unsent."
_RETRIES: Final = "Retry here passes over the check of the address; if it fails even so, it likely cannot be delivered."


@dataclass(frozen=True, slots=True)
class LogView:
    """``campaign`` empty: of all; ``status`` as shown, empty: any."""

    campaign: str = ""
    status: str = ""
    page: int = 1

    def keep(self) -> dict[str, str]:
        return {"log": "1", "campaign": self.campaign, "status": self.status, "page": str(self.page)}

    @classmethod
    def kept(cls, kept: Mapping[str, str]) -> LogView:
        number, status = kept.get("page", ""), kept.get("status", "")
        page = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1
        return cls(kept.get("campaign", ""), status if status in _STATUSES else "", max(1, page))

    def of_status(self, choice: str) -> LogView:
        status = next((one for one in _STATUSES if _choice(one) == choice), "")
        return LogView(self.campaign, status)

    @property
    def query(self) -> LogQuery:
        return LogQuery(self.campaign, log_states(self.status), page=Page(self.page, LINES))


def log_window(view: LogView, page: LogPage, notice: str = "") -> Form:
    """``notice`` is one of our own sentences on what was just done."""
    blocks: list[Json] = [kit.markup(f":information_source: {escaped(notice, 600)}")] if notice else []
    whose = f"*{escaped(view.campaign, 200)}*" if view.campaign else "*All campaigns*"
    blocks += [kit.markup(f"{whose}, newest first\n{_NO_INBOX}"), kit.actions(_status_menu(view))]
    for line in page.rows[:LINES]:
        blocks += _line(line, with_campaign=not view.campaign)
    if not page.rows:
        blocks.append(kit.note("No line matches." if view.page == 1 else "There is nothing older."))
    blocks += _paging(view, page)
    blocks.append(kit.context(f"{_SENT} {_RETRIES}"))
    return Form(ids.WINDOW, "Email Log", blocks, submit="", close="Close", kept=view.keep())


def _choice(status: str) -> str:
    return status.lower().replace(" ", "_")


def _status_menu(view: LogView) -> Json:
    choices = [("Any status", ANY), *((one, _choice(one)) for one in _STATUSES)]
    options = forms.made_options([(label, encode("status", 0, choice)) for label, choice in choices])
    chosen = encode("status", 0, _choice(view.status) if view.status else ANY)
    begin = next(one for one in options if one["value"] == chosen)
    return {"type": "static_select", "action_id": ids.LOG_STATUS, "options": options, "initial_option": begin}


def _line(line: LogLine, *, with_campaign: bool) -> list[Json]:
    status = shown(line.state, line.kind)
    what = f"stage {line.stage}" + (f" of {escaped(line.campaign, 150)}" if with_campaign else "")
    words = [
        f"{_MARKS.get(status, ':white_circle:')} *{status}* · {escaped(line.person, 100)} · {escaped(line.email, 254)}",
        f"{what} · {escaped(_topic(line), 150)} · {_when(line)}",
    ]
    why = _why(line)
    if why:
        words.append(why)
    if line.server_text:
        words.append(f"The server said: {escaped(line.server_text, 300)}")
    even_so = failed_even_so(line.state, bypass=line.bypass)
    if even_so:
        words.append(f":warning: {even_so}")
    buttons = _buttons(line)
    return [kit.markup("\n".join(words)), *([kit.actions(*buttons)] if buttons else [])]


def _topic(line: LogLine) -> str:
    """A mail's subject; what has none is called by its kind."""
    return line.subject or _KINDS.get(line.kind, "(no subject yet)")


def _when(line: LogLine) -> str:
    if line.state is DeliveryState.QUEUED and line.due_at:
        return f"due {local_time(iso(line.due_at))}"
    return local_time(iso(line.at))


def _why(line: LogLine) -> str:
    if not line.reason:
        return ""
    try:
        known = reason(line.reason)
    except KeyError:
        return escaped(line.reason.replace("_", " ").capitalize(), 200)
    return escaped(f"{known.text} {known.fix}", 400)


def _buttons(line: LogLine) -> list[Json]:
    """A line that is out has none (R165); one in doubt is settled on its card."""
    value, whom = encode(line.id, line.version), line.person
    retry = kit.button("Retry, bypass validation", ids.LOG_RETRY, value, spoken=f"Retry {whom}, bypass validation")
    if line.state is DeliveryState.QUEUED:
        what = "send" if line.kind in ("email", "sms") else line.kind
        asked = kit.confirm(f"Cancel this {what}?", f"{whom} becomes Not Delivered, badge Canceled.", "Cancel it")
        cancel = kit.button("Cancel", ids.LOG_CANCEL, value, style="danger", confirm=asked, spoken=f"Cancel {whom}")
        return [cancel, retry] if line.reason else [cancel]
    return [retry] if line.state in (DeliveryState.FAILED, DeliveryState.CANCELLED) else []


def _paging(view: LogView, page: LogPage) -> list[Json]:
    buttons = []
    if view.page > 1:
        buttons.append(kit.button("Newer", ids.LOG_PREVIOUS, encode("page", view.page - 1)))
    if page.more:
        buttons.append(kit.button("Older", ids.LOG_NEXT, encode("page", view.page + 1)))
    return [kit.actions(*buttons)] if buttons else []
