import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.reports.pages import Page
from transforms.reports.markup import breakable, element, joined, shown
from transforms.reports.page import Section, page

HOSTILE = st.text() | st.sampled_from(
    [
        "<script>",
        "</script>",
        "&lt;",
        '"><svg onload=x>',
        "'",
        "<!--",
        "]]>",
        "\x00\u202e",
        "\ud800",
    ]
)


@given(HOSTILE, HOSTILE)
def test_no_text_becomes_markup(text, value):
    made = element("p", text, title=value)
    found = Page(made)
    assert [tag for tag, _ in found.tags] == ["p"]
    assert found.open == []


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_what_can_be_printed_is_shown_as_it_is(text):
    assert html.unescape(element("p", text)) == f"<p>{text}</p>"


@given(HOSTILE)
def test_what_is_shown_can_be_printed_and_encoded(text):
    assert shown(text).isprintable()
    joined(text).encode()


@given(HOSTILE)
def test_a_breakable_name_is_the_same_name(name):
    assert html.unescape(breakable(name).replace("<wbr>", "")) == shown(name)


def test_elements():
    assert element("br_", class_="x").startswith("<br_ class=")
    assert element("td", None, 0, "<", joined("a", element("b", 1))) == "<td>0&lt;a<b>1</b></td>"
    assert element("input", type="search", checked=True, id=None, hidden=False) == (
        '<input type="search" checked>'
    )
    assert element("path", d="M0 0") == '<path d="M0 0"/>'
    assert element("rect", element("title", "x")) == "<rect><title>x</title></rect>"
    assert element("td", data_v=1, aria_label="x") == '<td data-v="1" aria-label="x"></td>'


@pytest.mark.parametrize(("text", "told"), [("a" * 130, "a" * 120 + "…"), ("a\tb\n", "a\\tb\\n")])
def test_shown(text, told):
    assert shown(text) == told


def test_a_page_lets_only_its_own_script_and_style_run():
    import base64
    import hashlib

    found = Page(page("T", joined(), [Section("s", "S", joined("body"), 3)]))
    (policy,) = (each["content"] for tag, each in found.tags if "http-equiv" in each)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(found.raw) == 2
    for text in found.raw:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
