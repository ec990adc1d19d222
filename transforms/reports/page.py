"""The shell of every report: its head, its sections, and the parts that they share."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transforms.reports.look import CSS
from transforms.reports.markup import Markup, breakable, element, joined
from transforms.reports.script import SCRIPT


@dataclass(frozen=True)
class Section:
    """A part of a report under a heading of its own.

    Attributes:
      name: Its anchor, unique on the page.
      title: Its heading.
      body: What it says.
      count: Shown beside the heading, and in the list of sections.
    """

    name: str
    title: str
    body: Markup
    count: int | None = None


def page(title: str, facts: Markup, sections: Sequence[Section]) -> str:
    """Returns a whole document that loads nothing; the browser may run only its own script.

    Args:
      title: Its heading.
      facts: What stands under it.
      sections: In their order.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(CSS)),
    )
    body = element(
        "body",
        element("a", "Skip to the report", class_="skip", href="#report"),
        element("header", element("h1", title), facts, _contents(sections)),
        element("main", *map(_section, sections), id="report"),
        element("footer", "Made by Millrace."),
        element("script", Markup(SCRIPT)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def tiles(facts: Iterable[tuple[str, str, str]]) -> Markup:
    """Figures to be seen first: of each its name, itself, and a class or nothing."""
    return element(
        "dl",
        *(
            element("div", element("dt", name), element("dd", value), class_=class_ or None)
            for name, value, class_ in facts
        ),
        class_="tiles",
    )


def described(facts: Iterable[tuple[str, str]]) -> Markup | None:
    """Returns what a report is about: each fact's name and text; None without facts."""
    entries = [
        element("div", element("dt", name), element("dd", breakable(value, 500)))
        for name, value in facts
    ]
    return element("dl", *entries, class_="about") if entries else None


def table(
    caption: str, heads: Sequence[object], bodies: Iterable[Markup], class_: str = ""
) -> Markup:
    """Returns a table with a caption for screen readers; `bodies` are rows, or groups of them."""
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *map(_head, heads))),
        *bodies,
        class_=class_ or None,
    )


def more(summary: object, *body: object, class_: str = "", is_open: bool = False) -> Markup:
    """Returns content that a click shows, with scripts or without."""
    return element(
        "details", element("summary", summary), *body, class_=class_ or None, open=is_open
    )


def badge(text: str, class_: str) -> Markup:
    """Returns a word that stands out."""
    return element("span", text, class_=f"badge {class_}")


def note(*text: object) -> Markup:
    """Returns a quiet paragraph."""
    return element("p", *text, class_="note")


def _head(head: object) -> Markup:
    return head if isinstance(head, Markup) else element("th", head, scope="col")


def _contents(sections: Sequence[Section]) -> Markup:
    links = (
        element("a", section.title, _count(section), href=f"#{section.name}")
        for section in sections
    )
    return element("nav", *links, aria_label="Sections")


def _section(section: Section) -> Markup:
    heading = f"{section.name}-title"
    return element(
        "section",
        element("h2", section.title, _count(section), id=heading),
        section.body,
        id=section.name,
        aria_labelledby=heading,
    )


def _count(section: Section) -> Markup | None:
    if section.count is None:
        return None
    return joined(" ", element("span", f"{section.count:,}", class_="count"))


def _policy() -> str:
    """Returns a policy that allows only the scripts and styles of this module's page."""
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(CSS)}'; script-src '{_hash(SCRIPT)}'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
