"""Which mails of a campaign spam filters would take amiss, and which good ones are left in peace."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.campaign import Campaign, CampaignStatus, Delay, Stage
from core.domain.content_lint import THRESHOLD, Envelope, Finding, Severity, lint, lint_mail, score, severity

HI = "Hi {{first_name}},\n\n"
GOOD_SUBJECT = "{{first_name}}, a backend role in Leeds"
GOOD_TEXT = f"{HI}your talk on queues was great. A team I know looks for somebody like you.\n\nRita"

LOUD = "PLEASE SEND YOUR CV TODAY BECAUSE THE CLIENT IS WAITING FOR YOU AND YOUR SKILLS"


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def campaign(*stages: Stage) -> Campaign:
    return Campaign(
        id="c1",
        workspace="w1",
        name="Backend, autumn",
        status=CampaignStatus.DRAFT,
        version=1,
        created_at=datetime(2026, 11, 2, tzinfo=UTC),
        senders=("rita@agency.test",),
        stages=stages,
    )


def mail(position: int, subject: str = "", body: str = GOOD_TEXT, **more: object) -> Stage:
    return replace(Stage(position, "email", Delay(timedelta(days=2)), subject=subject, body=body), **more)


GOOD = {
    "a first note": (GOOD_SUBJECT, GOOD_TEXT),
    "a note with pay and place": (
        "Senior Python role (£85–95k, remote in the UK)",
        f"{HI}I read your post on asyncio at {{{{company}}}}. A fintech in London hires its third platform engineer: "
        "£85,000 to £95,000, 100% remote in the UK, four-day week possible.\n\nWorth fifteen minutes on Thursday?\n\n"
        "Rita\nAgency Ltd · https://agency.test/jobs/1234",
    ),
    "a formal one": (
        "Head of Controlling in Munich",
        "Dear {{first_name}} {{last_name}},\n\nI am writing on behalf of a family-owned manufacturer in Munich. Your "
        "experience with SAP and IFRS would suit the role well. May I send you the profile?\n\nKind regards\nOmar",
    ),
    "acronyms": (
        "{{first_name}}: SRE / AWS / K8s, NHS project",
        f"{HI}the NHS moves its GP booking to AWS (EKS, RDS, SQS) and needs an SRE who knows HIPAA and GDPR. You did "
        "just that at {{company}}.\n\nRita",
    ),
    "a friendly one": (
        "Quick question about your work at {{company}}",
        f"{HI}I hope you're well! Your portfolio is lovely! Would you be free for a chat on Friday? "
        "Thanks so much!\n\nRita",
    ),
    "congratulations": (
        "Congratulations on the promotion, {{first_name}}",
        f"{HI}congratulations on becoming staff engineer. If you ever want to compare notes on the market, I am here."
        "\n\nRita",
    ),
    "in German": (
        "{{first_name}}, Bauleitung in Köln ab Januar",
        "Hallo {{first_name}},\n\nfür ein Krankenhaus in Köln suche ich eine Bauleiterin. Ihre Projekte passen sehr "
        "gut dazu. Darf ich Ihnen mehr schicken?\n\nViele Grüße\nRita",
    ),
    "in Japanese": (
        "{{name}}様 バックエンドのご提案",
        "{{name}}様\n\nはじめまして。リタと申します。ご経歴を拝見しました。\n\nリタ",
    ),
    "in Russian": (
        "{{first_name}}, вакансия инженера в Риге",
        "{{first_name}}, добрый день!\n\nВаш доклад об очередях мне очень понравился. Одна команда в Риге ищет "
        "именно такого человека. Можно рассказать подробнее?\n\nРита",
    ),
    "with a way out": (
        GOOD_SUBJECT,
        f"{GOOD_TEXT}\n\nIf this is not for you, tell me and I will not write again.",
    ),
    "a role about spam": (
        "{{first_name}}, an anti-abuse role at a mail provider",
        f"{HI}the team builds filters that tell phishing from real mail. Legacy rules are to be removed from the "
        "pipeline next year; you did that at {{company}}. Interested?\n\nRita",
    ),
    "a long, sober one": (
        "Two questions about {{company}}'s data platform",
        f"{HI}" + "The role is about moving batch jobs to streams, with a team of six in Porto. " * 30 + "\n\nRita",
    ),
    "an urgent shift, plainly said": (
        "Night shifts at St Mary's, from 1 December",
        f"{HI}St Mary's needs two band 6 nurses from 1 December, nights, £31 an hour. Your registration runs until "
        "2028, so nothing stands in the way. Shall I hold a place?\n\nOmar",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_mail_of_a_recruiter_is_left_in_peace(name: str) -> None:
    """At most small print: a checker that cries wolf is switched off."""
    subject, text = GOOD[name]
    findings = lint_mail(subject, text, known_fields={"first_name", "last_name", "name", "company"}, bulk=True)
    assert severity(findings) is Severity.OK
    assert score(findings) <= 0.5, findings


BAD = {
    "the recruiter's classic": (
        "URGENT REQUIREMENT - JAVA DEVELOPER",
        "Dear Candidate,\n\nApply now!!! Urgent hiring.",
    ),
    "shouting": (
        "AMAZING OPPORTUNITY FOR YOU",
        "DEAR SIR/MADAM, WE HAVE AN INCREDIBLE OPPORTUNITY FOR YOU. SEND YOUR CV TODAY TO GET THE JOB OF YOUR LIFE.",
    ),
    "the money": ("Make $$$ from home", "Dear friend,\n\nmake easy money from home. This is not spam. Act now!"),
    "the excuse": (
        "Jobs",
        "Dear applicant, hot jobs. This is not spam. To be removed, please reply STOP. Guaranteed offers, act now.",
    ),
    "a link in the subject": (
        "See www.jobs.test/apply today",
        "Hello, see http://192.0.2.7/jobs or https://bit.ly/xyz",
    ),
    "a field nobody has": (GOOD_SUBJECT, f"{GOOD_TEXT} {{{{favourite_colour}}}}"),
    "broken braces": (GOOD_SUBJECT, f"{GOOD_TEXT} {{{{ 1 + 1 }}}}"),
    "a fake answer": (
        "Re: YOUR APPLICATION!!",
        "Dear sir,\n\nyou have been selected. Click here. Limited time offer, exclusive offer, don't miss out.",
    ),
    "a list of promises": (
        "Dream job!!",
        "Hello!!! Life-changing, risk-free, guaranteed. Special offer, cash bonus, act now, last chance, hurry up.",
    ),
    "the spaced one": (
        "F R E E jobs, act now!!!",
        "Dear Madam, be your own boss, financial freedom. Apply now, call now, don't miss this.",
    ),
    "a very long subject": ("Urgent: " + "great role, " * 30, "Dear professional, apply now. Best price. Buy now."),
    "dear all": (
        "Immediate joiners, WINNER COMPANY HIRING!!",
        "Dear all, earn extra cash. Sign up now. Congratulations, you have been chosen.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_mail_is_called_so(name: str) -> None:
    subject, text = BAD[name]
    findings = lint_mail(subject, text, known_fields={"first_name"})
    assert severity(findings) is Severity.HIGH, (score(findings), findings)
    assert all(finding.text and finding.fix for finding in findings)


@pytest.mark.parametrize(
    ("subject", "text", "code", "weight"),
    [
        (GOOD_SUBJECT, "Dear candidate,\n{{first_name}}", "dear_something", 2.0),
        (GOOD_SUBJECT, "Dear Sir/Madam,\n{{first_name}}", "dear_something", 2.0),
        (GOOD_SUBJECT, "Dear IT professional {{first_name}}", "dear_something", 2.0),
        (GOOD_SUBJECT, "Dear friend {{first_name}}", "dear_friend", 2.6),
        (GOOD_SUBJECT, "Dear {{first_name}}, how are you?", "dear_name", 0.2),
        ("SENIOR DEVELOPER, BIG COMPANY, GREAT PAY AND MORE", GOOD_TEXT, "subject_capitals", 3.0),
        ("SENIOR DEVELOPER", GOOD_TEXT, "subject_capitals", 1.1),
        ("СРОЧНО: НУЖЕН ИНЖЕНЕР", GOOD_TEXT, "subject_capitals", 1.4),
        ("{{first_name}} URGENT HIRING of developers", GOOD_TEXT, "subject_capitals", 0.5),
        ("x" * 201, GOOD_TEXT, "long_subject", 3.0),
        ("See https://agency.test", GOOD_TEXT, "url_in_subject", 4.0),
        ("A J O B for you", GOOD_TEXT, "gappy_subject", 0.1),
        ("A job!!", GOOD_TEXT, "subject_marks", 1.0),
        ("Urgent role", GOOD_TEXT, "salesy_subject", 1.0),
        ("Re: our talk", GOOD_TEXT, "false_reply", 1.5),
        ("", GOOD_TEXT, "no_subject", 1.8),
        (GOOD_SUBJECT, HI + LOUD, "body_capitals", 1.5),
        (GOOD_SUBJECT, f"{HI}You can make money here.", "money", 1.5),
        (GOOD_SUBJECT, f"{HI}This is not spam.", "not_spam", 1.5),
        (GOOD_SUBJECT, f"{HI}To be removed, please reply.", "removal", 2.0),
        (GOOD_SUBJECT, f"{HI}Act now, last chance.", "promotion", 1.2),
        (GOOD_SUBJECT, f"{HI}Great!! Call me.", "exclamations", 0.5),
        ("A role in Leeds", "Hi,\n\nare you interested?", "not_personal", 1.0),
        (GOOD_SUBJECT, f"{HI}see http://192.0.2.7/x", "ip_link", 1.0),
        (GOOD_SUBJECT, f"{HI}see https://bit.ly/x", "shortener", 1.0),
    ],
)  # fmt: skip
def test_each_fault_has_its_name_and_weight(subject: str, text: str, code: str, weight: float) -> None:
    found = {finding.code: finding.weight for finding in lint_mail(subject, text)}
    assert found.get(code) == weight, found


WORDS = "<p>Hi {{first_name}}, your talk on queues was great, and a team I know looks for somebody like you.</p>"


@pytest.mark.parametrize(
    ("html", "code", "weight"),
    [
        ('<img src="https://a.test/poster.png">', "image_heavy", 2.2),
        ('<a href="https://a.test"><img src="https://a.test/p.png"></a>', "linked_image", 2.0),
        (f'{WORDS}<p style="color:#fff">cheap pills</p>', "invisible_text", 4.0),
        (f'{WORDS}<div style="background:#222222"><font color="#222">cheap</font></div>', "invisible_text", 4.0),
        (f'{WORDS}<p style="color: #cccccc">small print</p>', "low_contrast", 0.7),
        (f'{WORDS}<span style="font-size:0px">cheap pills</span>', "tiny_text", 1.0),
        (f'{WORDS}<div style="display: none">cheap pills</div>', "hidden_text", 1.0),
        (f'{WORDS}<a href="http://evil.example/x">https://agency.test/x</a>', "link_elsewhere", 1.0),
        (f'{WORDS}<a href="http://agency.test/x">https://agency.test/x</a>', "link_scheme", 0.5),
        (f'{WORDS}<a href="http://[::1]/x">here</a>', "ip_link", 1.0),
        (f'{WORDS}<a href="http://[oops/x">here</a>', "broken_link", 1.0),
        (WORDS + "<p>" + "Something altogether different is told here about other things. " * 3, "parts_differ", 1.0),
        (WORDS + "<p>x</p>" * 20_000, "large_html", 0.5),
    ],
)
def test_each_fault_of_the_html_part_has_its_name_and_weight(html: str, code: str, weight: float) -> None:
    found = {finding.code: finding.weight for finding in lint_mail(GOOD_SUBJECT, "See the HTML part.", html)}
    assert found.get(code) == weight, found


def test_a_tidy_html_part_has_nothing_to_tell() -> None:
    """A dark button with white words, a grey footer, a logo, a link whose words are words, a pixel."""
    html = f"""<!doctype html><html><head><style>p {{ color: white }}</style></head><body bgcolor="#FFFFFF">
      {WORDS}<p>The team builds a booking system in Leeds, with six engineers, Python and PostgreSQL, and it grows by
      two people before the summer. The pay is between sixty and seventy thousand pounds, and three days a week are
      remote. If that sounds right, I would like to tell you more about it.</p>
      <table><tr><td style="background-color: #1a5fb4"><a style="color: white" href="https://www.agency.test/jobs">See
      the role</a></td></tr></table><img src="https://agency.test/logo.png" width="120">
      <p style="color:#767676">Agency Ltd, <a href="https://www.agency.test/">agency.test</a></p>
      <img src="https://agency.test/p" width="1" height="1"><p style="background:url(x);color:black">Rita</p>"""
    text = "Hi {{first_name}}, your talk on queues was great, and a team I know looks for somebody like you. The team "
    text += "builds a booking system in Leeds, with six engineers, Python and PostgreSQL, and it grows by two people "
    text += "before the summer. Sixty to seventy thousand pounds, three days a week are remote. Shall I tell you more?"
    assert lint_mail(GOOD_SUBJECT, text, html) == []


def test_a_mail_without_a_text_part_is_told_but_hardly_counts() -> None:
    assert score(lint_mail(GOOD_SUBJECT, "", WORDS)) == 0.2


@pytest.mark.parametrize(
    ("envelope", "code"),
    [
        (Envelope("rita@agency.test", reply_to="rita.private@gmail.com"), "reply_to_freemail"),
        (Envelope("rita@agency.test", reply_to="carla@b.example", recipient="Carla@b.example"), "reply_to_recipient"),
        (Envelope("rita@agency.test", reply_to="rita at agency"), "bad_reply_to"),
        (Envelope("rita@agency.test", sender_name="ceo@bank.example"), "name_is_address"),
    ],
)  # fmt: skip
def test_answers_that_go_elsewhere_are_told(envelope: Envelope, code: str) -> None:
    assert codes(lint_mail(GOOD_SUBJECT, GOOD_TEXT, envelope=envelope)) == {code}


def test_a_reply_address_of_the_same_house_is_no_fault() -> None:
    own = Envelope("rita@agency.test", "Rita", reply_to="jobs@agency.test")
    same = Envelope("rita@gmail.com", "rita@gmail.com", reply_to="rita.work@gmail.com")
    assert lint_mail(GOOD_SUBJECT, GOOD_TEXT, envelope=own) == []
    assert lint_mail(GOOD_SUBJECT, GOOD_TEXT, envelope=same) == []


def test_a_filled_mail_must_hold_no_field_and_something_of_the_person() -> None:
    """After merging, the person's own values are looked for instead of merge fields."""
    filled = "Hi Carla,\n\nyour work at Lind Studio is lovely.\n\nRita"
    assert lint_mail("A role in Leeds", filled, personal=("carla", "Lind Studio")) == []
    assert codes(lint_mail("A role in Leeds", filled, personal=("Nobody", ""))) == {"not_personal"}
    left = lint_mail(GOOD_SUBJECT, filled, personal=("Carla",))
    assert [(finding.code, finding.evidence) for finding in left] == [("unresolved_field", "{{first_name}}")]


def test_a_field_with_a_fallback_may_be_unknown() -> None:
    text = f"{GOOD_TEXT} {{{{team|your team}}}}"
    assert lint_mail(GOOD_SUBJECT, text, known_fields={"first_name"}) == []
    assert codes(lint_mail(GOOD_SUBJECT, text.replace("|your team", ""), known_fields={"first_name"})) == {
        "unknown_field"
    }


def test_an_attachment_over_a_megabyte_is_told_by_name() -> None:
    findings = lint_mail(GOOD_SUBJECT, GOOD_TEXT, attachments={"small.pdf": 900_000, "brochure.pdf": 2_300_000})
    assert [(finding.code, finding.evidence) for finding in findings] == [("large_attachment", "brochure.pdf (2.3 MB)")]


def test_bulk_mail_needs_a_way_out_unless_its_header_gives_one() -> None:
    without = Envelope(unsubscribe_header=False)
    assert codes(lint_mail(GOOD_SUBJECT, GOOD_TEXT, envelope=without, bulk=True)) == {"no_unsubscribe"}
    assert lint_mail(GOOD_SUBJECT, GOOD_TEXT, envelope=without) == []
    assert lint_mail(GOOD_SUBJECT, GOOD_TEXT, bulk=True) == []
    said = f"{GOOD_TEXT}\nTell me and I will not write again."
    assert lint_mail(GOOD_SUBJECT, said, envelope=without, bulk=True) == []


def test_stages_of_one_thread_are_in_order() -> None:
    """Follow-ups without subject answer in the thread: nothing is missing in them."""
    stages = (mail(1, GOOD_SUBJECT), mail(2, body="Just making sure that my note did not get lost.\n\nRita"))
    assert lint(campaign(*stages), people=5_000, known_fields=()) == []


def test_a_stage_that_leaves_the_thread_is_told() -> None:
    """R100, R162: by another subject, by repeating it, by another sender."""
    other = mail(2, "{{first_name}}, still interested?")
    again = mail(3, GOOD_SUBJECT)
    omar = mail(4, sender="omar@agency.test")
    found = [(one.stage, one.code) for one in lint(campaign(mail(1, GOOD_SUBJECT), other, again, omar))]
    assert found == [(2, "new_thread"), (3, "new_thread"), (4, "new_thread")]
    texts = [one.text for one in lint(campaign(mail(1, GOOD_SUBJECT), other, again, omar))]
    assert len(set(texts)) == 3


def test_fields_are_checked_against_what_people_have_in_every_kind_of_stage() -> None:
    text = Stage(2, "sms", Delay(), body="Hi {{firstname}}")
    call = Stage(3, "call", Delay(), note="Ask {{first_name}} about {{skill}}")
    findings = lint(campaign(mail(1, GOOD_SUBJECT), text, call), known_fields={"skill"})
    assert [(one.stage, one.code, one.evidence) for one in findings] == [(2, "unknown_field", "{{firstname}}")]


def test_only_the_files_of_a_stage_count_against_it() -> None:
    stages = (mail(1, GOOD_SUBJECT), mail(2, attachments=("role.pdf", "gone.pdf")))
    findings = lint(campaign(*stages), attachments={"role.pdf": 3_000_000, "other.pdf": 9_000_000})
    assert [(one.stage, one.code) for one in findings] == [(2, "large_attachment")]


def test_the_score_is_that_of_the_worst_mail() -> None:
    """Six stages with a trifle each are not one bad mail; what concerns all counts in each."""
    trifles = [Finding("a", 1.0, "", "", stage=position) for position in range(1, 7)]
    assert score(trifles) == 1.0
    assert score([*trifles, Finding("b", 2.0, "", "")]) == 3.0
    assert severity(trifles) is Severity.OK
    assert severity([Finding("c", 2.5, "", "")]) is Severity.WARN
    assert severity([Finding("c", THRESHOLD, "", "")]) is Severity.HIGH
    assert score([]) == 0


MEGABYTE = 1_000_000
HOSTILE = {
    "open tags": "<b>" * (MEGABYTE // 3),
    "tags that never end": '<a href="' * (MEGABYTE // 9),
    "quotes": "<a x='" * (MEGABYTE // 6) + ">",
    "one endless tag": "<a " + "a" * MEGABYTE,
    "long attributes": ("<a " + "a" * 4_000 + ">") * 250,
    "spaces in attributes": ("<a b" + " " * 4_000 + ">") * 250,
    "closings of nothing": "<b>" * 150_000 + "</i>" * 130_000,
    "crossing tags": "<b><i></b></i>" * (MEGABYTE // 14),
    "comments that never end": "<!--" * (MEGABYTE // 4),
    "swallowers": "<style>" * (MEGABYTE // 7),
    "smaller-than signs": "<" * MEGABYTE,
    "colours": '<p style="color:rgb(1,1,1)">x' * (MEGABYTE // 29),
    "declarations": f'<p style="{"a:b;" * 250_000}">x',
    "entities": "&#x3c;&amp;" * (MEGABYTE // 11),
    "links": '<a href="http://a.test">http://b.test</a>' * (MEGABYTE // 41),
    "braces": "{{" * (MEGABYTE // 2),
    "fields": "{{a}}" * (MEGABYTE // 5),
    "exclamations": "!" * MEGABYTE,
    "spaces": "dear" + " " * MEGABYTE,
    "dears": "dear " * (MEGABYTE // 5),
    "letters apart": "a " * (MEGABYTE // 2),
    "one word": "a" * MEGABYTE,
    "an address": "a.a" * (MEGABYTE // 3),
    "link text": "<a href='http://a.test'>" + "a." * 500_000 + "</a>",
    "make money": "make " * (MEGABYTE // 5),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_of_hostile_input_takes_less_than_a_second(name: str) -> None:
    """Measured in processor time, in every place where it may stand."""
    text = HOSTILE[name]
    began = time.process_time()
    lint_mail(text, text, text, envelope=Envelope("a@b.test", text, text), known_fields=())
    assert time.process_time() - began < 1.0


@given(st.text(max_size=300), st.text(alphabet="<>/abip='\" #;:&!{}|style", max_size=400), st.booleans())
def test_nothing_that_people_write_breaks_it(text: str, html: str, first: bool) -> None:
    findings = lint_mail(text, text, html, first_of_thread=first, envelope=Envelope(text, text, text, text))
    assert all(finding.weight > 0 and finding.fix and len(finding.evidence) <= 120 for finding in findings)
    assert [one.weight for one in findings] == sorted((one.weight for one in findings), reverse=True)
