"""Block Kit's documented limits, one row each: what fits at the limit and what is refused one past it."""

import copy
import random

import pytest

from sandbox.slack.block_kit import check_attachments, check_blocks, check_view, view_is_too_large


def plain(words):
    return {"type": "plain_text", "text": words}


def mrkdwn(words):
    return {"type": "mrkdwn", "text": words}


def button(**more):
    return {"type": "button", "action_id": "a", "text": plain("Go")} | more


def option(**more):
    return {"text": plain("One"), "value": "1"} | more


def options(count):
    return [option(value=str(number)) for number in range(count)]


def select(**more):
    return {"type": "static_select", "action_id": "a", "options": options(2)} | more


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def section(**more):
    return {"type": "section", "text": mrkdwn("x")} | more


def field(element, **more):
    return {"type": "input", "label": plain("Label"), "element": element} | more


def text_input(**more):
    return {"type": "plain_text_input", "action_id": "a"} | more


def image(**more):
    return {"type": "image", "image_url": "https://images.example/a.png", "alt_text": "a"} | more


def confirm(**more):
    return {"title": plain("T"), "text": plain("t"), "confirm": plain("y"), "deny": plain("n")} | more


def table(rows, columns=1, text="x"):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


def data_table(rows, columns=1, **more):
    cells = [{"type": "raw_text", "text": "x"}] * columns
    return {"type": "data_table", "caption": "c", "rows": [cells] * rows} | more


def pie(segments, title="t", label="x"):
    parts = [{"label": label, "value": 1}] * segments
    return {"type": "data_visualization", "title": title, "chart": {"type": "pie", "segments": parts}}


def line(points, series=1):
    data = [{"label": "x", "value": 1}] * points
    chart = {
        "type": "line",
        "series": [{"name": "s", "data": data}] * series,
        "axis_config": {"categories": ["x"]},
    }
    return {"type": "data_visualization", "title": "t", "chart": chart}


def card(**more):
    return {"type": "card", "title": mrkdwn("t")} | more


def words(problems):
    return [str(problem) for problem in problems]


MESSAGE_LIMITS = [
    ("blocks per message", lambda n: [{"type": "divider"}] * n, 50),
    ("section text", lambda n: [section(text=mrkdwn("x" * n))], 3000),
    ("section fields", lambda n: [section(fields=[mrkdwn("x")] * n)], 10),
    ("section field text", lambda n: [section(fields=[mrkdwn("x" * n)])], 2000),
    ("header text", lambda n: [{"type": "header", "text": plain("x" * n)}], 150),
    ("context elements", lambda n: [{"type": "context", "elements": [mrkdwn("x")] * n}], 10),
    ("actions elements", lambda n: [actions(*(button(action_id=str(i)) for i in range(n)))], 25),
    ("button text", lambda n: [actions(button(text=plain("x" * n)))], 75),
    ("button value", lambda n: [actions(button(value="x" * n))], 2000),
    ("button url", lambda n: [actions(button(url="https://a.example/".ljust(n, "x")))], 3000),
    ("button accessibility_label", lambda n: [actions(button(accessibility_label="x" * n))], 75),
    ("action_id", lambda n: [actions(button(action_id="x" * n))], 255),
    ("block_id", lambda n: [section(block_id="x" * n)], 255),
    ("confirm title", lambda n: [actions(button(confirm=confirm(title=plain("x" * n))))], 100),
    ("confirm text", lambda n: [actions(button(confirm=confirm(text=plain("x" * n))))], 300),
    ("confirm button", lambda n: [actions(button(confirm=confirm(confirm=plain("x" * n))))], 30),
    ("confirm deny", lambda n: [actions(button(confirm=confirm(deny=plain("x" * n))))], 30),
    ("select options", lambda n: [actions(select(options=options(n)))], 100),
    ("option text", lambda n: [actions(select(options=[option(text=plain("x" * n))]))], 75),
    ("option value", lambda n: [actions(select(options=[option(value="x" * n)]))], 150),
    ("option description", lambda n: [actions(select(options=[option(description=plain("x" * n))]))], 75),
    ("select placeholder", lambda n: [actions(select(placeholder=plain("x" * n)))], 150),
    ("overflow options", lambda n: [actions({"type": "overflow", "options": options(n)})], 5),
    ("radio options", lambda n: [actions({"type": "radio_buttons", "options": options(n)})], 10),
    ("checkbox options", lambda n: [actions({"type": "checkboxes", "options": options(n)})], 10),
    ("image url", lambda n: [image(image_url="https://a.example/".ljust(n, "x"))], 3000),
    ("image alt_text", lambda n: [image(alt_text="x" * n)], 2000),
    ("image title", lambda n: [image(title=plain("x" * n))], 2000),
    ("input label", lambda n: [field(text_input(), label=plain("x" * n))], 2000),
    ("input hint", lambda n: [field(text_input(), hint=plain("x" * n))], 2000),
    ("input max_length", lambda n: [field(text_input(max_length=n))], 3000),
    ("markdown text", lambda n: [{"type": "markdown", "text": "x" * n}], 12_000),
    (
        "markdown text over the message",
        lambda n: [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * (n - 6000)}],
        12_000,
    ),
    ("table rows", lambda n: [table(n)], 100),
    ("table columns", lambda n: [table(1, n)], 20),
    ("table characters", lambda n: [table(2, text="x" * (n // 2))], 10_001),
    ("tables per message", lambda n: [table(1)] * n, 1),
    ("data_table rows", lambda n: [data_table(n)], 201),
    ("data_table columns", lambda n: [data_table(2, n)], 20),
    ("data_table page_size", lambda n: [data_table(2, page_size=n)], 100),
    ("charts per message", lambda n: [pie(1)] * n, 2),
    ("chart title", lambda n: [pie(1, title="x" * n)], 50),
    ("chart label", lambda n: [pie(1, label="x" * n)], 20),
    ("pie segments", lambda n: [pie(n)], 12),
    ("chart series", lambda n: [line(1, n)], 12),
    ("chart points", lambda n: [line(n)], 20),
    ("card title", lambda n: [card(title=mrkdwn("x" * n))], 150),
    ("card body", lambda n: [card(body=mrkdwn("x" * n))], 200),
    ("card buttons", lambda n: [card(actions=[button(action_id=str(i)) for i in range(n)])], 3),
    ("carousel cards", lambda n: [{"type": "carousel", "elements": [card()] * n}], 10),
    (
        "container children",
        lambda n: [{"type": "container", "title": plain("t"), "child_blocks": [{"type": "divider"}] * n}],
        10,
    ),
]


@pytest.mark.parametrize(("build", "most"), [row[1:] for row in MESSAGE_LIMITS], ids=[r[0] for r in MESSAGE_LIMITS])
def test_a_message_is_refused_one_past_each_limit(build, most):
    """At the limit nothing is said, one past it something is."""
    assert words(check_blocks(build(most))) == []
    assert check_blocks(build(most + 1))


def modal(**more):
    return {"type": "modal", "title": plain("T"), "blocks": [section()]} | more


VIEW_LIMITS = [
    ("title", lambda n: modal(title=plain("x" * n)), 24),
    ("submit", lambda n: modal(submit=plain("x" * n)), 24),
    ("close", lambda n: modal(close=plain("x" * n)), 24),
    ("blocks of a modal", lambda n: modal(blocks=[{"type": "divider"}] * n), 100),
    ("blocks of a home", lambda n: {"type": "home", "blocks": [{"type": "divider"}] * n}, 100),
    ("private_metadata", lambda n: modal(private_metadata="x" * n), 3000),
    ("callback_id", lambda n: modal(callback_id="x" * n), 255),
    ("external_id", lambda n: modal(external_id="x" * n), 255),
    ("alert text", lambda n: modal(blocks=[{"type": "alert", "text": plain("x" * n)}]), 200),
]


@pytest.mark.parametrize(("build", "most"), [row[1:] for row in VIEW_LIMITS], ids=[r[0] for r in VIEW_LIMITS])
def test_a_view_is_refused_one_past_each_limit(build, most):
    """The same for modals and Home tabs."""
    assert words(check_view(build(most))) == []
    assert check_view(build(most + 1))


REFUSED_BLOCKS = [
    ("not a list", {"type": "divider"}, "must provide an array [json-pointer:/blocks]"),
    ("not an object", ["divider"], "must provide an object [json-pointer:/blocks/0]"),
    ("no type", [{}], "missing required field: type [json-pointer:/blocks/0]"),
    ("type not a word", [{"type": ["section"]}], "unsupported type: ['section'] [json-pointer:/blocks/0/type]"),
    ("unknown type", [{"type": "banner"}], "unsupported type: banner [json-pointer:/blocks/0/type]"),
    ("inbound only", [{"type": "file"}], "unsupported type: file [json-pointer:/blocks/0/type]"),
    (
        "unknown field",
        [{"type": "divider", "colour": "red"}],
        "invalid additional property: colour [json-pointer:/blocks/0]",
    ),
    ("empty section", [{"type": "section"}], "missing required field: text or fields [json-pointer:/blocks/0]"),
    (
        "empty text",
        [section(text=mrkdwn(""))],
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    (
        "text not a string",
        [section(text=mrkdwn(7))],
        "must provide a string [json-pointer:/blocks/0/text/text]",
    ),
    (
        "mrkdwn in a header",
        [{"type": "header", "text": mrkdwn("x")}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    (
        "mrkdwn on a button",
        [actions(button(text=mrkdwn("x")))],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]",
    ),
    (
        "unknown style",
        [actions(button(style="green"))],
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    (
        "a typed input among actions",
        [actions(text_input())],
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
    (
        "the same action twice in a block",
        [actions(button(), button())],
        "`action_id` `a` already exists [json-pointer:/blocks/0]",
    ),
    (
        "the same block_id twice",
        [section(block_id="b"), section(block_id="b")],
        "`block_id` `b` already exists [json-pointer:/blocks/1/block_id]",
    ),
    (
        "no options at all",
        [actions({"type": "static_select"})],
        "must provide exactly one of: options, option_groups [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "an initial option that is not offered",
        [actions(select(initial_option=option(value="9")))],
        "initial option must match one of the options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    (
        "an image without words",
        [{"type": "image", "image_url": "https://a.example/x.png"}],
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    (
        "a script address",
        [actions(button(url="javascript:alert(1)"))],
        "must be a valid url [json-pointer:/blocks/0/elements/0/url]",
    ),
    (
        "a modal's block",
        [{"type": "alert", "text": plain("x")}],
        "unsupported type: alert [json-pointer:/blocks/0/type]",
    ),
    (
        "a ragged data_table",
        [data_table(2) | {"rows": [[{"type": "raw_text", "text": "x"}], [{"type": "raw_text", "text": "x"}] * 2]}],
        "must have as many cells as the first row [json-pointer:/blocks/0/rows/1]",
    ),
]


@pytest.mark.parametrize(("blocks", "said"), [r[1:] for r in REFUSED_BLOCKS], ids=[r[0] for r in REFUSED_BLOCKS])
def test_a_refusal_names_the_place(blocks, said):
    """Exactly one problem, in Slack's form, with its JSON pointer."""
    assert words(check_blocks(blocks)) == [said]


REFUSED_VIEWS = [
    ("a message", {"type": "message", "blocks": []}, "unsupported type: message [json-pointer:/view/type]"),
    ("no title", {"type": "modal", "blocks": []}, "missing required field: title [json-pointer:/view]"),
    ("no blocks", {"type": "home"}, "missing required field: blocks [json-pointer:/view]"),
    (
        "inputs without submit",
        modal(blocks=[field(text_input())]),
        "missing required field: submit [json-pointer:/view]",
    ),
    (
        "a title on Home",
        {"type": "home", "title": plain("x"), "blocks": []},
        "invalid additional property: title [json-pointer:/view]",
    ),
    (
        "a message's block in a modal",
        modal(blocks=[{"type": "markdown", "text": "x"}]),
        "unsupported type: markdown [json-pointer:/view/blocks/0/type]",
    ),
    (
        "two elements with the focus",
        modal(
            submit=plain("Go"),
            blocks=[field(text_input(focus_on_load=True)), field(text_input(focus_on_load=True))],
        ),
        "only one element may have focus_on_load set to true [json-pointer:/view/blocks]",
    ),
]


@pytest.mark.parametrize(("view", "said"), [r[1:] for r in REFUSED_VIEWS], ids=[r[0] for r in REFUSED_VIEWS])
def test_a_refused_view_names_the_place(view, said):
    """The pointer begins at /view."""
    assert words(check_view(view)) == [said]


def test_lengths_are_counted_in_characters_not_bytes():
    """3,000 characters outside the basic plane fit."""
    assert check_blocks([section(text=mrkdwn("😀" * 3000))]) == []


def test_every_kind_of_input_fits_a_modal():
    """Typed inputs, pickers, selects and files."""
    kinds = [
        text_input(multiline=True),
        {"type": "email_text_input", "action_id": "a"},
        {"type": "url_text_input", "action_id": "a"},
        {"type": "number_input", "action_id": "a", "is_decimal_allowed": False, "min_value": "1"},
        {"type": "datepicker", "action_id": "a", "initial_date": "2026-02-28"},
        {"type": "timepicker", "action_id": "a", "initial_time": "09:30", "timezone": "Europe/London"},
        {"type": "datetimepicker", "action_id": "a", "initial_date_time": 1_790_000_000},
        {"type": "users_select", "action_id": "a", "initial_user": "U0RITA"},
        {"type": "channels_select", "action_id": "a"},
        {"type": "conversations_select", "action_id": "a", "filter": {"include": ["private"]}},
        {"type": "external_select", "action_id": "a", "min_query_length": 0},
        {"type": "multi_static_select", "action_id": "a", "options": options(3), "max_selected_items": 2},
        {"type": "checkboxes", "action_id": "a", "options": options(2), "initial_options": options(1)},
        {"type": "radio_buttons", "action_id": "a", "options": options(2)},
        {"type": "file_input", "action_id": "a", "filetypes": ["csv"], "max_files": 1},
        select(option_groups=[{"label": plain("G"), "options": options(2)}]),
    ]
    kinds[-1].pop("options")
    view = modal(submit=plain("Go"), blocks=[field(kind) for kind in kinds])
    assert words(check_view(view)) == []


def test_rich_text_is_read_to_its_leaves():
    """Lists, quotes, code, links, mentions and dates; an unknown leaf is refused."""
    leaves = [
        {"type": "text", "text": "x", "style": {"bold": True}},
        {"type": "link", "url": "https://a.example", "text": "a"},
        {"type": "user", "user_id": "U0RITA"},
        {"type": "emoji", "name": "wave"},
        {"type": "date", "timestamp": 1_790_000_000, "format": "{date}", "fallback": "then"},
    ]
    line_of = {"type": "rich_text_section", "elements": leaves}
    rich = {
        "type": "rich_text",
        "elements": [
            line_of,
            {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [line_of]},
            {"type": "rich_text_quote", "elements": leaves},
            {"type": "rich_text_preformatted", "elements": leaves[:1]},
        ],
    }
    assert words(check_blocks([rich])) == []
    leaves.append({"type": "html", "text": "<b>"})
    assert check_blocks([rich])


def test_an_attachment_takes_twenty_blocks():
    """More inside one attachment has been refused; its blocks are checked like a message's."""
    assert check_attachments([{"color": "#fff", "blocks": [{"type": "divider"}] * 20}]) == []
    assert check_attachments([{"blocks": [{"type": "divider"}] * 21}])
    (problem,) = check_attachments([{}, {"blocks": [{"type": "banner"}]}])
    assert problem.pointer == "/attachments/1/blocks/0/type"


def test_a_view_has_a_size_limit_of_its_own():
    """250 kB of JSON, which many blocks below their own limits can reach."""
    assert not view_is_too_large(modal(blocks=[section(text=mrkdwn("x" * 3000))] * 80))
    assert view_is_too_large(modal(blocks=[section(text=mrkdwn("x" * 3000))] * 100))


def spoiled(value, dice):
    """A copy with one node, anywhere in it, replaced by something of another kind."""
    found = copy.deepcopy(value)
    node = found
    while True:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = dice.choice(list(keys))
        child = node[key]
        if isinstance(child, dict | list) and child and dice.random() < 0.8:
            node = child
            continue
        node[key] = dice.choice([None, 7, -1.5, "", "x" * 4000, [], [[]], {}, {"type": []}, True, [None], {"a": 1}])
        return found


def test_no_malformed_block_breaks_the_check():
    """Whatever an app sends, the answer is a list of problems and never an exception."""
    dice = random.Random(7)
    whole = [build(most) for _, build, most in MESSAGE_LIMITS if most <= 201]
    whole += [
        [actions(select(initial_option=options(1)[0], option_groups=[{"label": plain("G"), "options": options(2)}]))]
    ]
    for _ in range(4_000):
        blocks = dice.choice(whole)
        spoilt = spoiled(blocks, dice)
        check_blocks(spoilt)
        check_view(modal(blocks=spoilt))
        check_attachments([{"blocks": spoilt}])
