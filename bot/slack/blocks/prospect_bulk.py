"""One action on many: the question that names the number, and what became of each (R140..R142, R146, R217). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import encode
from bot.slack.blocks import forms, kit
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Json
from bot.slack.blocks.text import count, escaped
from core.domain.enrollment import ProspectEvent
from core.services.outcomes import Skipped

_NAMED: Final = 20
_REASONS: Final = 8


@dataclass(frozen=True, slots=True)
class BulkAct:
    """``asks`` and ``did`` stand around a number of prospects: "Retry the stage of 3 prospects?"."""

    event: ProspectEvent | None
    button: str
    asks: str
    did: str
    follows: str


ACTS: Final = {
    "retry": BulkAct(
        ProspectEvent.RETRY,
        "Retry",
        "Retry the stage of",
        "tried again",
        "The failed stage of each goes out again, through the same checks. Only what failed or is Pending can be.",
    ),
    "finish": BulkAct(
        ProspectEvent.FINISH,
        "Mark finished",
        "Mark finished:",
        "marked finished",
        "They get nothing more in this campaign and keep their progress. After a short while it cannot be undone.",
    ),
    "pause": BulkAct(ProspectEvent.PAUSE, "Pause", "Pause", "paused", "Nothing goes to them until they are unpaused."),
    "unpause": BulkAct(
        ProspectEvent.UNPAUSE, "Unpause", "Unpause", "unpaused", "The campaign goes on for them where it stood."
    ),
    "skip": BulkAct(
        ProspectEvent.SKIP,
        "Skip stage",
        "Skip the stage of",
        "moved on to the next stage",
        "The present stage is not sent to them; they go on with the next one.",
    ),
    "remove": BulkAct(
        ProspectEvent.REMOVE,
        "Remove",
        "Remove",
        "removed",
        ":warning: They leave the campaign, and their progress in it is lost for good. To keep it, mark them finished.",
    ),
    "export": BulkAct(
        None, "Export", "Export", "exported", "You get a CSV file in your direct messages with Rethread."
    ),
    "move": BulkAct(
        None,
        "Move",
        "Move",
        "moved",
        "They are added to the other campaign from its first stage; here they are marked finished and keep their "
        "progress.",
    ),
}


def ask_form(
    act: str, number: int, campaign: str, kept: Mapping[str, str], *, others: Sequence[tuple[str, str]] = ()
) -> Form:
    """The question before the act. ``kept`` holds what was selected; ``others`` are campaigns to move to, each as
    (name, id)."""
    asked = ACTS[act]
    who = count(number, "prospect")
    blocks: list[Json] = [
        kit.markup(f"*{asked.asks} {who} of {escaped(campaign, 200)}?*\n{asked.follows}"),
        kit.context("Whoever cannot be changed stays as they are, and is named afterwards with the reason."),
    ]
    if act == "retry":
        blocks.append(
            forms.ticks(
                "confirmed",
                "Where it is unlikely to help",
                [("Retry all the same", "yes")],
                hint="An address that bounced and was not replaced will bounce again, and what was taken for spam will "
                "be taken for spam again.",
            )
        )
    if act == "move":
        blocks.append(forms.choice("to", "To which campaign", [(name, value) for name, value in others]))
    title = asked.button
    return Form(ids.BULK_FORM, title, blocks, submit=f"{asked.button}: {number:,}", kept={**kept, "act": act})


def result_window(act: str, done: int, refused: Sequence[Skipped], kept: Mapping[str, str], further: str = "") -> Form:
    """How many it was done for, and who was left out and why."""
    blocks: list[Json] = [kit.markup(f":white_check_mark: *{count(done, 'prospect')} {ACTS[act].did}.*")]
    if not done:
        blocks = [kit.markup(f":information_source: *Nobody was {ACTS[act].did}.*")]
    if further:
        blocks.append(kit.note(further))
    if refused:
        blocks += _refused(refused)
    blocks.append(kit.actions(kit.button("Back to the prospects", ids.LIST_BACK, encode("list"))))
    return Form(ids.WINDOW, ACTS[act].button, blocks, submit="", close="Close", kept=kept)


def _refused(refused: Sequence[Skipped]) -> list[Json]:
    """Each by name where they are few; of many how many for which reason, then the first."""
    blocks = [kit.divider(), kit.markup(f":warning: *{count(len(refused), 'prospect')} left as they were*")]
    if len(refused) > _NAMED:
        why = Counter(one.reason for one in refused).most_common(_REASONS)
        blocks.append(kit.markup("\n".join(f"• {number:,}: {escaped(words, 250)}" for words, number in why)))
    for start in range(0, min(len(refused), _NAMED), 5):
        lines = [f"{escaped(one.email or 'somebody', 254)}: {escaped(one.reason, 300)}" for one in refused[start:][:5]]
        blocks.append(kit.markup("\n".join(lines[: _NAMED - start])))
    if len(refused) > _NAMED:
        blocks.append(kit.context(f"and {len(refused) - _NAMED:,} more"))
    return blocks
