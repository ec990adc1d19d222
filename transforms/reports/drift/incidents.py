"""The incidents of a drift report: when each began, how long it lasted, whether it is over."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from transforms.reports.figures import counted, number
from transforms.reports.markup import Markup, element, shown
from transforms.reports.page import badge, table

Row = Mapping[str, Any]
_SLOW = "small differences that last"


def opened(events: Sequence[Row]) -> int:
    """Returns how many incidents were opened."""
    return len({event["incident_id"] for event in events})


def incidents(
    events: Sequence[Row], window_text: Callable[[Row], str], errors: Container[str] = ()
) -> Markup:
    """Returns a table of incidents: first those that go on, then the latest; of all rows first.

    Args:
      events: Their events, by window.
      window_text: Gives a window as people read it.
      errors: The ids of the events' verdicts that are about predictions.
    """
    if not events:
        return element("p", "No incident: nothing moved for long.", class_="banner good")
    by_id: dict[str, list[Row]] = {}
    for event in events:
        by_id.setdefault(event["incident_id"], []).append(event)
    ordered = sorted(reversed(by_id.values()), key=_order)
    lines = [_line(told, window_text, errors) for told in ordered]
    heads = ["Column", "Since", "Confirmed in", "Last told in", "Windows", "Largest PSI"]
    body = table("Incidents", heads, lines, "features cards sorts")
    return element("div", body, class_="scroll")


def _order(told: Sequence[Row]) -> tuple[bool, float, bool]:
    return (
        told[-1]["event"] == "RECOVERED",
        -told[0]["since"].timestamp(),
        bool(told[0]["slice"]),
    )


def _line(told: Sequence[Row], window_text: Callable[[Row], str], errors: Container[str]) -> Markup:
    first, last = told[0], told[-1]
    over = last["event"] == "RECOVERED"
    name = "all rows" if first["column"] is None else first["column"]
    name = f"errors of {name}" if first["verdict_id"] in errors else name
    where = f"{name}, {first['slice']}" if first["slice"] else name
    sizes = [each["adjusted_psi"] for each in told if each["adjusted_psi"] is not None]
    words = "recovered" if over else last["severity"].replace("_", " ").lower()
    head = element(
        "th",
        shown(where),
        " ",
        badge(words, "good" if over else "warn" if last["severity"] == "SUSPECT" else "bad"),
        " ",
        element("span", _SLOW, class_="soft") if first["cause"] == "slow" else None,
        scope="row",
    )
    cells = (
        head,
        element("td", f"{first['since']:%Y-%m-%d %H:%M}", class_="w", data_label="Since"),
        element("td", window_text(first), class_="w", data_label="Confirmed in"),
        element("td", window_text(last), class_="w", data_label="Last told in"),
        element("td", counted(last["windows"], "window"), class_="n", data_label="Windows"),
        element("td", number(max(sizes)) if sizes else "—", class_="n", data_label="Largest PSI"),
    )
    return element("tbody", element("tr", *cells), data_name=where)
