"""The windows in which a campaign is built: a new one, its settings, a stage. Pure.

The names of inputs are those of the campaign file, so that ``listeners/views`` hands them on as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.slack.blocks import forms, kit
from bot.slack.blocks.campaign_words import DAYS, KINDS, UNITS, amount_and_unit, goes_after
from bot.slack.blocks.forms import MOST_TEXT, Form, Option
from bot.slack.blocks.kit import Json
from bot.slack.blocks.text import count
from core.domain.campaign import Campaign, Delay, Stage

NEW: Final = "campaign.new"
SETTINGS: Final = "campaign.settings"
STAGE: Final = "campaign.stage"
DELETE: Final = "campaign.delete_stage"

_FIELDS: Final = (
    "first_name",
    "last_name",
    "name",
    "email",
    "phone",
    "sender_name",
    "sender_email",
    "unsubscribe_link",
)
_PRIORITIES: Final = (
    ("personal,work,other", "Personal, else work, else other"),
    ("work,personal,other", "Work, else personal, else other"),
    ("personal", "Personal only"),
    ("work", "Work only"),
    ("personal,work", "Personal, else work"),
    ("work,personal", "Work, else personal"),
)
_COUNTRIES: Final = (
    "AR AT AU BE BG BR CA CH CL CN CO CZ DE DK EE ES FI FR GB GB-SCT GB-NIR GR HR HU IE IL IN IS IT JP KR LT LU LV MT"
    " MX MY NL NO NZ PH PL PT RO RS SE SG SI SK TR UA US ZA"
).split()
_ZONES: Final = (
    "Africa/Cairo Africa/Johannesburg Africa/Lagos Africa/Nairobi America/Argentina/Buenos_Aires America/Bogota"
    " America/Chicago America/Denver America/Halifax America/Lima America/Los_Angeles America/Mexico_City"
    " America/New_York America/Phoenix America/Santiago America/Sao_Paulo America/Toronto America/Vancouver"
    " Asia/Bangkok Asia/Dubai Asia/Hong_Kong Asia/Jakarta Asia/Jerusalem Asia/Karachi Asia/Kolkata Asia/Manila"
    " Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Tokyo Australia/Adelaide Australia/Brisbane"
    " Australia/Melbourne Australia/Perth Australia/Sydney Europe/Amsterdam Europe/Athens Europe/Belgrade"
    " Europe/Berlin Europe/Brussels Europe/Bucharest Europe/Budapest Europe/Copenhagen Europe/Dublin Europe/Helsinki"
    " Europe/Istanbul Europe/Kyiv Europe/Lisbon Europe/London Europe/Madrid Europe/Oslo Europe/Paris Europe/Prague"
    " Europe/Rome Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Vienna Europe/Vilnius Europe/Warsaw"
    " Europe/Zurich Pacific/Auckland Pacific/Honolulu UTC"
).split()
AS_IN_FILE: Final = "file"
"""Days off that the campaign file lists one by one stay as they are."""

_SHARED: Final = ("Every recruiter may add people", "shared")
_TRACKED: Final = (("opens", "Opens"), ("clicks", "Clicks"), ("downloads", "Downloads of attachments"))


def new_form(senders: Sequence[str], zone: str, *, guessed: bool) -> Form:
    """The first window: enough for a draft that could be started."""
    whence = "from your Slack profile" if guessed else "nobody said which: change it in Settings"
    return Form(
        NEW,
        "New campaign",
        [
            kit.told("A draft with its first mail. Further stages, hours, and people come in the next window."),
            forms.text("name", "Name", most=150, placeholder="Backend engineers, autumn", focus=True),
            forms.choices("from", "Sent from", _pairs(senders), senders[:1], hint="Several mailboxes take turns."),
            forms.text("subject", "Subject of the first mail", most=300, placeholder="{{first_name}}, a role for you?"),
            forms.text("body", "First mail", lines=True, hint=merge_hint()),
            kit.context(f"Mails go Mon to Fri, 09:00 to 17:00, {zone} ({whence})"),
        ],
        submit="Create the draft",
        kept={"timezone": zone},
    )


def merge_hint(further: Iterable[str] = ()) -> str:
    """Which fields a text may name."""
    names = " ".join(f"{{{{{name}}}}}" for name in (*_FIELDS, *list(further)[:10]))
    return f"{names} With a fallback: {{{{first_name|there}}}}"


def settings_form(campaign: Campaign, senders: Sequence[str]) -> Form:
    """Everything about a campaign but its name and stages."""
    definition = campaign.definition
    window = definition.get("window") or {}
    days_off = definition.get("holidays")
    return Form(
        SETTINGS,
        "Settings",
        [
            kit.paragraph([kit.bold(campaign.name)]),
            forms.choices(
                "from", "Sent from", _pairs([*campaign.senders, *senders]), campaign.senders, hint="Several take turns."
            ),
            forms.choice(
                "timezone",
                "Time zone",
                _pairs([*filter(None, [campaign.timezone]), *_ZONES]),
                campaign.timezone or "UTC",
                hint="For people without a time zone of their own.",
            ),
            forms.ticks("days", "Days", [(name, day) for day, name in DAYS.items()], window.get("days") or list(DAYS)),
            forms.hour("start", "From", str(window.get("start") or ""), hint="Empty: at any hour.", optional=True),
            forms.hour("end", "To", str(window.get("end") or ""), optional=True),
            forms.choice(
                "holidays", "No mail on holidays of", _holiday_options(days_off), _holidays(days_off), optional=True
            ),
            forms.choice(
                "email_priority", "Addresses to use", _priorities(campaign), ",".join(campaign.email_priority)
            ),
            forms.person("owner", "Owner", campaign.owner, optional=True),
            forms.conversation("channel", "Tell replies and failures in", campaign.channel),
            forms.text("job", "Job", campaign.job, most=200, optional=True),
            forms.text("job_stage", "Job stage", campaign.job_stage, most=200, optional=True),
            forms.ticks("shared", "Shared", [_SHARED], ["shared"] if campaign.shared else []),
            forms.ticks("tracking", "Counted", [(label, name) for name, label in _TRACKED], _tracked(campaign)),
        ],
        kept={"campaign": campaign.id},
    )


def stage_form(
    campaign: Campaign,
    stage: Stage | None,
    kind: str,
    senders: Sequence[str],
    *,
    fields: Iterable[str] = (),
    files: bool = True,
) -> Form:
    """A new stage, or one that is there. ``fields`` are further merge fields; ``files``: whether files can be given."""
    new = stage is None
    shown = stage or Stage(len(campaign.stages) + 1, kind, _usual_delay(campaign))
    amount, unit = amount_and_unit(shown.delay)
    title = f"{'New' if new else 'Edit'}: {KINDS[kind]}"
    blocks = [
        *_running_note(campaign, new=new),
        forms.number("amount", _AFTER.get(kind, "Goes out after"), amount, most=365, hint=_COUNTED),
        forms.choice("unit", "Unit", [(words, code) for code, words in UNITS.items()], unit),
        *_texts(campaign, shown, kind, fields),
        *(_mail_extras(campaign, shown, senders, files=files) if kind == "email" else []),
    ]
    kept = {"campaign": campaign.id, "stage": "" if new else str(shown.position), "kind": kind}
    return Form(STAGE, title, blocks, submit="Add stage" if new else "Save", kept=kept)


_AFTER: Final = {"call": "To be made after", "task": "To be done after"}
_COUNTED: Final = "Counted from when the stage before was done."


def _running_note(campaign: Campaign, *, new: bool) -> list[Json]:
    """What a change means while mails go (decision on edits of running campaigns)."""
    if campaign.status != "active":
        return []
    if new:
        return [kit.told("The campaign is running: whoever has come through it already does not get the new stage.")]
    return [
        kit.told("The campaign is running: mails that go from now on carry the change; whoever waits already waits on.")
    ]


def _texts(campaign: Campaign, stage: Stage, kind: str, fields: Iterable[str]) -> list[Json]:
    hint = merge_hint(fields)
    if kind == "email":
        opens = not any(one.kind == "email" and one.position < stage.position for one in campaign.live_stages)
        subject = forms.text(
            "subject", "Subject", stage.subject, most=300, optional=not opens,
            hint="" if opens else "Empty: in the thread of the first mail, as an answer to it.",
        )  # fmt: skip
        return [
            subject,
            _long("body", "Text", stage.body, hint),
            _long("html", "HTML", stage.html, _HTML, optional=True),
        ]
    if kind == "sms":
        return [_long("body", "Text", stage.body, hint)]
    return [
        _long("note", "What to do", stage.note, "Shown on the card of whoever has to do it.", optional=True),
        forms.ticks(
            "required",
            "Required",
            [("People wait here until it is done or skipped", "required")],
            ["required"] if stage.required else [],
        ),
    ]


_HTML: Final = "Only where you want your own: it is made from the text otherwise."


def _long(name: str, label: str, value: str, hint: str, *, optional: bool = False) -> Json:
    """Slack's fields hold 3,000 characters: a longer text is not cut but left as it is."""
    if len(value) > MOST_TEXT:
        return kit.told(
            f"{label}: {len(value):,} characters, more than fit here. Change it in the file: export, import."
        )
    return forms.text(name, label, value, lines=True, hint=hint, optional=optional)


def _mail_extras(campaign: Campaign, stage: Stage, senders: Sequence[str], *, files: bool) -> list[Json]:
    own = _pairs([*filter(None, [stage.sender]), *campaign.senders, *senders])
    extras = [
        forms.choice(
            "from", "Another sender", own, stage.sender or "", optional=True,
            hint="Begins a new thread, so it needs a subject. Empty: the campaign's sender.",
        )
    ]  # fmt: skip
    if stage.attachments:
        extras.append(_attached(stage.attachments))
    if files:
        extras.append(forms.files("files", "Attach files", most=5, hint="10 MB at most; small ones arrive better."))
    return extras


def _attached(names: Sequence[str]) -> Json:
    """To be taken off one by one; where that does not fit into a window they stay as they are."""
    if len(names) > forms.MOST_TICKS or any(len(name) > forms.MOST_VALUE for name in names):
        return kit.told(f"Attached: {', '.join(names)}. Take some off in the file: export, import.")
    return forms.ticks("attachments", "Attached", _pairs(names), names)


def delete_form(campaign: Campaign, stage: Stage, standing: int) -> Form:
    """Asked once more; where people stand at the stage it can only go if they are skipped past it (R154)."""
    what = f"{KINDS[stage.kind]} {stage.position} of “{campaign.name}” ({goes_after(stage, first=False)})"
    blocks = [kit.told(f"Delete {what}? What was sent of it stays in the figures.")]
    if standing:
        people = count(standing, "person stands", "people stand")
        blocks += [
            kit.told(f"{people} at this stage: it cannot be deleted under them."),
            forms.ticks("skip", "Them", [("Skip them past it, then delete it", "skip")]),
        ]
    kept = {"campaign": campaign.id, "stage": str(stage.position)}
    return Form(DELETE, "Delete a stage", blocks, submit="Delete", kept=kept)


def _usual_delay(campaign: Campaign) -> Delay:
    return Delay(business_days=2) if campaign.live_stages else Delay()


def _pairs(values: Iterable[str]) -> list[Option]:
    return [(value, value) for value in dict.fromkeys(values)]


def _priorities(campaign: Campaign) -> list[Option]:
    own = ",".join(campaign.email_priority)
    options = [(words, order) for order, words in _PRIORITIES]
    return options if own in dict(_PRIORITIES) else [(", else ".join(campaign.email_priority), own), *options]


def _holidays(value: object) -> str:
    return AS_IN_FILE if isinstance(value, list) else str(value or "")


def _holiday_options(value: object) -> list[Option]:
    if isinstance(value, list):
        return [(f"{count(len(value), 'day')} from the campaign file", AS_IN_FILE), *_pairs(_COUNTRIES)]
    return _pairs([*([str(value)] if value else []), *_COUNTRIES])


def _tracked(campaign: Campaign) -> list[str]:
    given = campaign.definition.get("tracking")
    if given is None:
        return ["opens", "clicks"]
    if not isinstance(given, dict):
        return ["opens", "clicks"] if given is True else []
    usual = {"opens": True, "clicks": True, "downloads": False}
    return [name for name, on in (usual | given).items() if on]
