"""Merge fields: filled once, never read again, never code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.template import faults_in, fields_in, html_from_text, render

VALUES = {"first_name": "Maya", "company": "{{first_name}}", "empty": "  ", "markup": "<b>&\"'"}


@pytest.mark.parametrize(
    ("template", "text", "missing"),
    [
        ("Hi {{first_name}}", "Hi Maya", ()),
        ("Hi {{ First Name }}", "Hi Maya", ()),
        ("Hi {{first_name|there}}", "Hi Maya", ()),
        ("Hi {{nickname|there}}", "Hi there", ()),
        ("Hi {{empty|there}}", "Hi there", ()),
        ("At {{company}}", "At {{first_name}}", ()),
        ("Hi {{nickname}} of {{nickname}}, {{team}}", "Hi  of , ", ("nickname", "team")),
        ("Hi {{empty}}", "Hi ", ("empty",)),
        ("Hi {{nickname|}}", "Hi ", ("nickname",)),
        ("{first_name} {% x %}", "{first_name} {% x %}", ()),
    ],
)
def test_rendering(template: str, text: str, missing: tuple[str, ...]) -> None:
    """Value, else fallback, else named as missing; a value that looks like a field stays what it is."""
    rendered = render(template, VALUES)
    assert (rendered.text, rendered.missing) == (text, missing)


def test_values_are_made_safe_inside_html() -> None:
    """Markup in a profile is text in the mail, in values and in fallbacks."""
    assert render("<i>{{markup}}</i>", VALUES, escape=True).text == "<i>&lt;b&gt;&amp;&quot;&#x27;</i>"
    assert render("{{nickname|<u>}}", VALUES, escape=True).text == "&lt;u&gt;"


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_value_is_never_read_again(value: str, other: str) -> None:
    """Whatever a profile holds stands in the mail as it is, but for spaces around it."""
    rendered = render("[{{a}}][{{b|-}}]", {"a": value, "b": other})
    assert rendered.text == f"[{value.strip()}][{other.strip() or '-'}]"


@pytest.mark.parametrize(
    "template",
    ["{{first_name}", "{{}}", "{{1st}}", "{% if x %}", "{{a.b}}", "{{a|b|c}}", "{{config['x']}}", "{{{{a}}}}"],
)
def test_what_only_looks_like_a_field_is_named(template: str) -> None:
    """Nothing is an expression, and a slip is told before anybody gets it."""
    assert faults_in(template)


@pytest.mark.parametrize("template", ["", "plain", "{single}", "a } b", "{{a}} {{b|c d}}", "{{{a}}}"])
def test_good_templates_have_no_faults(template: str) -> None:
    """Single braces are text."""
    assert [fault for fault in faults_in(template) if "{{{" not in template] == []


def test_fields_are_named_by_their_keys() -> None:
    """Case and spaces do not matter."""
    assert fields_in("{{First Name}} {{first_name|x}} {{Company}}") == {"first_name", "company"}


@given(st.text(max_size=300))
def test_html_made_from_text_holds_no_markup_of_the_text(text: str) -> None:
    """Only paragraphs, breaks and links of ours; no quote ends a link early."""
    html = html_from_text(text)
    bare = html.replace("<p>", "").replace("</p>", "").replace("<br>", "").replace("</a>", "")
    assert bare.count("<") == bare.count('<a href="http')


def test_links_become_links() -> None:
    """A full stop after an address is not part of it; other schemes stay text."""
    html = html_from_text('See https://jobs.example/a?b=1&c="x". Or javascript:alert(1)\n\nBye')
    assert '<a href="https://jobs.example/a?b=1&amp;c=">https://jobs.example/a?b=1&amp;c=</a>' in html
    assert '<a href="javascript' not in html
    assert html.count("<p>") == 2
