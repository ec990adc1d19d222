"""Reads a page as a browser would, and fails where a browser would have to guess."""

from html.parser import HTMLParser

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2

from transforms.reports import statistics_report

VOID = {"input", "meta", "wbr"}


class Page(HTMLParser):
    """A parsed document: its texts, its ids and where it refers to.

    Attributes:
      text: All that a reader sees or hears: texts, titles and labels.
      ids: In their order.
      refers: Values of attributes that could load something or lead somewhere.
      tags: Every element with its attributes.
      raw: Texts of scripts and styles.
    """

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.ids, self.refers = [], [], [], []
        self.tags, self.raw = [], []
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = " ".join("".join(self.texts).split())

    def handle_starttag(self, tag, attrs):
        self._seen(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert "svg" in self.open
        self._seen(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        raw = bool(self.open) and self.open[-1] in ("script", "style")
        (self.raw if raw else self.texts).append(data)

    def _seen(self, tag, attrs):
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)
        given = dict(attrs)
        assert len(given) == len(attrs)
        self.texts += [" "] if tag != "wbr" else []
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        for name in ("href", "src", "srcset", "action", "data", "xlink:href", "poster"):
            self.refers += [given[name]] if name in given else []
        for name in ("aria-label", "title", "placeholder", "data-name", "data-v", "content"):
            self.texts += [f" {given[name]} "] if name in given else []


def parsed(html):
    """A page, of which every report is to be so."""
    page = Page(html)
    assert html.startswith("<!doctype html>\n")
    assert len(set(page.ids)) == len(page.ids)
    # It refers to its own parts only, and to parts that are there.
    assert {each[:1] for each in page.refers} <= {"#"}
    assert {each[1:] for each in page.refers} <= set(page.ids)
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "@import" not in html
    return page


def report_of(baseline, current, anomalies=None, schema=None, **more):
    """A page and its text in HTML."""
    html = statistics_report(baseline, current, anomalies, schema, **{"title": "A title", **more})
    return parsed(html), html


def anomalies_of(text):
    return text_format.Parse(text, anomalies_pb2.Anomalies())
