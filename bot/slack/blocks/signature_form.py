"""A mailbox's signature and its further From addresses, in a window (R171). Pure."""

from __future__ import annotations

from bot.slack import prospect_ids as ids
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Card
from bot.slack.blocks.text import count, escaped
from core.domain.account import Mailbox

MOST_HTML = 3_000
"""Slack's longest field."""


def signature_form(mailbox: Mailbox) -> Form:
    """As it is now. HTML longer than a field is left as it is unless new HTML is typed."""
    html, long = mailbox.signature_html, len(mailbox.signature_html) > MOST_HTML
    hint = "Leave it empty and one is made from the text."
    if long:
        hint = "The present one is too long to be shown here, and stays unless you type another."
    blocks = [
        kit.markup(f"*{escaped(mailbox.address, 254)}*: it stands under campaign mails; test letters go without it."),
        forms.text("text", "Signature as text", mailbox.signature_text, lines=True, most=2_000, optional=True),
        forms.text("html", "Signature as HTML", "" if long else html, lines=True, hint=hint, optional=True),
        forms.text(
            "aliases",
            "Further From addresses",
            "\n".join(mailbox.aliases),
            lines=True,
            hint="One a line. Your mail host must let this mailbox send from them.",
            optional=True,
        ),
    ]
    kept = {"id": mailbox.id, "long": "1" if long else ""}
    return Form(ids.SIGNATURE_FORM, "Signature", blocks, kept=kept)


def signature_saved(mailbox: Mailbox) -> Card:
    """What stands under a mail from now on, as text and how much HTML."""
    if not mailbox.signature_text:
        text = f"{mailbox.address} has no signature now."
        return Card(kit.fallback(text), [kit.note(text), *_aliases(mailbox)])
    html = "with an HTML form" if mailbox.signature_html else "as text only"
    text = f"{mailbox.address}: the signature is saved, {html}. It looks like this as text:"
    return Card(kit.fallback(text), [kit.note(text), kit.quote(mailbox.signature_text, 2_000), *_aliases(mailbox)])


def _aliases(mailbox: Mailbox) -> list[kit.Json]:
    if not mailbox.aliases:
        return []
    shown = ", ".join(escaped(one, 254) for one in mailbox.aliases[:20])
    return [kit.context(f"{count(len(mailbox.aliases), 'further From address', 'further From addresses')}: {shown}")]
