"""The campaign file: what is right goes through unchanged, what is wrong is named with its line."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.campaign import Delay
from core.domain.campaign_file import read, write

SAMPLE = """\
name: Backend engineers, autumn
from: rita@agency.test            # a connected mailbox; a list rotates, each prospect keeps one
timezone: Europe/London
window: {days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:30"}     # left out: any time
email_priority: [personal, work]  # types allowed, in order
holidays: GB                      # country, or a list of dates; left out: none
owner: U0RITA                     # and shared: true, job: ..., job_stage: ...
tracking: {opens: true, clicks: true, downloads: true}
channel: C0123                    # where its replies and failures are told; left out: the workspace's
stages:
  - kind: email                   # email | sms | call | task
    delay: 0s                     # s m h d, or "2bd" for business days
    subject: "{{first_name}}, a role at {{company}}"
    body: |
      Hi {{first_name}},

      shall we talk?
    html: <p>Hi {{first_name}}</p>
    attachments: [jd.pdf]
    from: omar@agency.test        # another sender: starts a new thread
  - kind: email
    delay: 2d
    body: Did you see my note?    # no subject: same thread
  - kind: call
    delay: 1d
    required: true
    note: Ask about notice period
"""
STAGE = "stages:\n  - subject: Hello\n    body: Hi\n"
GOOD = f"name: Autumn\nfrom: rita@agency.test\n{STAGE}"


def test_the_sample_of_the_contract_is_read_whole() -> None:
    """Every field of the documented sample arrives where it belongs."""
    draft, faults = read(SAMPLE)
    assert faults == []
    assert draft is not None
    assert (draft.name, draft.senders, draft.owner, draft.channel) == (
        "Backend engineers, autumn", ("rita@agency.test",), "U0RITA", "C0123",
    )  # fmt: skip
    assert (draft.timezone, draft.email_priority) == ("Europe/London", ("personal", "work"))
    first, second, third = draft.stages
    assert (first.position, first.sender, first.attachments) == (1, "omar@agency.test", ("jd.pdf",))
    assert first.body == "Hi {{first_name}},\n\nshall we talk?\n"
    assert (second.delay, second.subject) == (Delay(timedelta(days=2)), "")
    assert (third.kind, third.required, third.note) == ("call", True, "Ask about notice period")


def test_what_is_written_reads_the_same() -> None:
    """Export and import are each other's inverse."""
    draft, _ = read(SAMPLE)
    assert draft is not None
    again, faults = read(write(draft.definition))
    assert faults == []
    assert again == draft


line = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40).filter(lambda t: "{" not in t)


@given(name=line.filter(str.strip), subject=line.filter(str.strip), lines=st.lists(line, max_size=6))
def test_any_text_survives_writing_and_reading(name: str, subject: str, lines: list[str]) -> None:
    """Colons, quotes, hashes, dates, "yes", leading spaces: texts come back as texts."""
    body = "\n".join(lines) or "Hi"
    definition: dict[str, Any] = {
        "name": name, "from": ["rita@agency.test"], "stages": [{"subject": subject, "body": body}],
    }  # fmt: skip
    draft, faults = read(write(definition))
    if body.strip() == "" and not body:
        return
    assert faults == []
    assert draft is not None
    assert draft.definition == definition
    assert draft.stages[0].body == body


FAULTS = [
    ("from: rita@agency.test\n" + STAGE, 1, "name is missing"),
    ("name: Autumn\n" + STAGE, 1, "is missing: name a connected mailbox"),
    ("name: Autumn\nfrom: rita\n" + STAGE, 2, "is not an e-mail address"),
    ("name: Autumn\nfrom: {a: b}\n" + STAGE, 2, "is not an e-mail address"),
    (f"name: {'x' * 151}\nfrom: rita@agency.test\n{STAGE}", 1, "longer than 150"),
    (f'name: "a\\nb"\nfrom: rita@agency.test\n{STAGE}', 1, "must be one line"),
    (f"name: [a]\nfrom: rita@agency.test\n{STAGE}", 1, "must be text"),
    (GOOD + "timezone: Mars/Base\n", 6, "is no IANA time zone"),
    (GOOD + "nmae: x\n", 6, "did you mean name?"),
    (GOOD + "name: again\n", 6, "stands here twice"),
    (GOOD + "email_priority: [home]\n", 6, "is not one of personal, work, other"),
    (GOOD + "owner: rita\n", 6, "is not a Slack user id"),
    (GOOD + "channel: user:U0ADA\n", 6, "is not a Slack channel id"),
    (GOOD + "channel: '#general'\n", 6, "is not a Slack channel id"),
    (GOOD + "window: always\n", 6, "must hold days, start and end"),
    (GOOD + 'window:\n  days: [mon, someday]\n  start: "09:00"\n  end: "17:00"\n', 7, "must be a list of mon"),
    (GOOD + 'window:\n  days: [mon]\n  start: "9"\n  end: "17:00"\n', 8, "must be a time"),
    (GOOD + 'window:\n  days: [mon]\n  start: "17:00"\n  end: "09:00"\n', 9, "must be later than start"),
    (GOOD + 'window:\n  dyas: [mon]\n  start: "09:00"\n  end: "17:00"\n', 7, "did you mean days?"),
    (GOOD + "shared: everybody\n", 6, "must be true or false"),
    (GOOD + "shared: 1\n", 6, "must be true or false"),
    (GOOD + "tracking: opens\n", 6, "must be true or false, or hold opens, clicks and downloads"),
    (GOOD + "tracking: [opens]\n", 6, "must be true or false, or hold"),
    (GOOD + "tracking:\n  opens: true\n  clicks: maybe\n", 8, "must be true or false"),
    (GOOD + "tracking:\n  opens:\n", 7, "must be true or false"),
    (GOOD + "tracking:\n  open: false\n", 7, "did you mean opens?"),
    (GOOD + "holidays: XX\n", 6, "must be a country code"),
    (GOOD + "holidays: [2026-02-30]\n", 6, "is no date"),
    ("name: A\nfrom: rita@agency.test\nstages: []\n", 3, "at least one stage"),
    ("name: A\nfrom: rita@agency.test\nstages: 5\n", 3, "at least one stage"),
    ("name: A\nfrom: rita@agency.test\nstages:\n  - text\n", 4, "must be a stage"),
    (GOOD + "  - kind: fax\n    body: Hi\n", 6, "is not one of email, sms, call, task"),
    (GOOD + "  - delay: soon\n    body: Hi\n", 6, "is no delay"),
    (GOOD + "  - delay:\n    body: Hi\n", 6, "is no delay"),
    (GOOD + "  - delay: 400d\n    body: Hi\n", 6, "longer than a year"),
    (GOOD + "  - delay: 2d\n", 6, "body is missing"),
    (GOOD + "  - body: [Hi]\n", 6, "must be text"),
    (GOOD + "  - body: Hi\n    bdoy: x\n", 7, "did you mean body?"),
    (GOOD + "  - body: Hi {{first_name}\n", 6, "is not a merge field"),
    (GOOD + "  - body: Hi\n    from: omar@agency.test\n", 6, "subject is missing"),
    (GOOD + "  - body: Hi\n    subject: x\n    from: omar\n", 8, "is not an e-mail address"),
    (GOOD + '  - body: Hi\n    subject: "a\\nb"\n', 7, "must be one line"),
    (GOOD + '  - body: Hi\n    subject: "a\\u2028b"\n', 7, "must be one line"),
    (GOOD + "  - body: Hi\n    attachments: jd.pdf\n", 7, "must be a list of file names"),
    (GOOD + "  - body: Hi\n    attachments: 5\n", 7, "must be a list of file names"),
    (GOOD + "  - body: Hi\n    attachments: [[a]]\n", 7, "must be a list of file names"),
    ("name: A\nfrom: rita@agency.test\nstages:\n  - body: Hi\n", 4, "this mail opens a thread"),
    ("name: a\n\tb: c\n", 2, "cannot start any token"),
    ("name: [a\n", 2, "expected"),
    ("name: a\nb: c: d\n", 2, "mapping values are not allowed"),
    ("name: a\nbody: x\x00y\n", 2, "holds a character"),
    ("", 1, "must be a campaign"),
    ("- a\n- b\n", 1, "must be a campaign"),
    ("a: 1\n---\nb: 2\n", 2, "but found another document"),
    ("a: &x [1]\nb: *x\n", 2, "aliases"),
    ("a: 1\nb: !evil x\n", 2, "tags"),
    ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "tags"),
]


@pytest.mark.parametrize(("text", "line_number", "reason"), FAULTS)
def test_a_fault_names_its_line_and_reason(text: str, line_number: int, reason: str) -> None:
    """The person finds the place without searching."""
    draft, faults = read(text)
    assert draft is None
    assert [(fault.line, reason in fault.reason) for fault in faults if reason in fault.reason] == [(line_number, True)]
    assert str(faults[0]).startswith(f"line {faults[0].line}, ")


@pytest.mark.parametrize("tracking", ["false", "true", "{opens: no, clicks: yes}", "{downloads: true}", ""])
def test_what_is_counted_may_be_switched(tracking: str) -> None:
    draft, faults = read(f"{GOOD}tracking: {tracking}\nshared: yes\n")
    assert faults == []
    assert draft is not None
    assert draft.shared


def test_all_faults_are_told_at_once_in_the_order_of_their_lines() -> None:
    """Nobody corrects a file five times."""
    _, faults = read("nmae: x\nfrom: rita\ntimezone: Mars\nstages:\n  - kind: fax\n    delay: x\n    body: '{{'\n")
    assert len(faults) >= 6
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


def bomb() -> str:
    levels = ['a: &a ["x","x"]'] + [f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]" for n in range(20)]
    return "\n".join(levels)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(bomb(), "aliases", id="billion laughs"),
        pytest.param("name: " + "x" * 1_000_000, "larger than 1 MB", id="1 MB"),
        pytest.param("[" * 10_000 + "]" * 10_000, "nested too deeply", id="lists 10,000 deep"),
        pytest.param("{a: " * 10_000 + "1" + "}" * 10_000, "nested too deeply", id="maps 10,000 deep"),
        pytest.param("name: [" + "a," * 400_000 + "]", "more than 10,000 values", id="a flood of values"),
        pytest.param("\n".join(f"k{n}: v" for n in range(50_000)), "more than 10,000 values", id="a flood of keys"),
    ],
)
def test_a_file_made_to_hurt_is_refused_soon(text: str, reason: str) -> None:
    """One line of reason, and within seconds: nobody else is served meanwhile."""
    began = time.process_time()
    draft, faults = read(text)
    assert draft is None
    assert [reason in fault.reason for fault in faults] == [True]
    assert time.process_time() - began < 15


@pytest.mark.parametrize("depth", range(50, 400, 25))
def test_no_depth_of_nesting_escapes_as_an_error(depth: int) -> None:
    """Between readable and too deep lies nothing that raises."""
    assert read("name: " + "[" * depth + "]" * depth)[0] is None


@given(st.text(max_size=200) | st.text(st.sampled_from("abc:-[]{}&*!|>'\"%@` \n\t#,?"), max_size=60))
def test_no_text_raises(text: str) -> None:
    """Whatever somebody pastes is read or refused with a line."""
    draft, faults = read(text)
    assert (draft is None) == bool(faults)
    assert all(1 <= fault.line <= text.count("\n") + text.count("\r") + 2 for fault in faults)


@pytest.mark.parametrize(
    ("text", "delay", "shown"),
    [
        ("0", Delay(), "0s"),
        ("30m", Delay(timedelta(minutes=30)), "30m"),
        ("36h", Delay(timedelta(hours=36)), "36h"),
        ("2 d", Delay(timedelta(days=2)), "2d"),
        ("2bd", Delay(business_days=2), "2bd"),
        ("90s", Delay(timedelta(seconds=90)), "90s"),
    ],
)
def test_delays(text: str, delay: Delay, shown: str) -> None:
    """Every unit is read, and shown as people write it."""
    draft, _ = read(f"{GOOD}  - body: Hi\n    delay: {text}\n")
    assert draft is not None
    assert (draft.stages[1].delay, str(draft.stages[1].delay)) == (delay, shown)
