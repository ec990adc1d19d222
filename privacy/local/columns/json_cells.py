"""JSON in texts: the values within are looked at by their paths, and the text is written anew."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

VisitPath = Callable[[pa.Array, str, np.ndarray], tuple[pa.Array, np.ndarray]]
"""What is done with the values of one path, which belong to some rows: it gives as many texts, and
which are at fault."""


class _Place:
    """Where a value stands in its document.

    Args:
      row: The number of the text.
      holder: The object or list that has the value.
      key: Its key or place there.
    """

    __slots__ = ("holder", "key", "row")

    def __init__(self, row: int, holder: Any, key: Any) -> None:
        self.row, self.holder, self.key = row, holder, key


def visit_json(texts: pa.Array, path: str, visit: VisitPath) -> tuple[pa.Array, np.ndarray]:
    """Visits the texts and numbers within JSON texts.

    Args:
      texts: n texts; one that is no JSON object or list is visited as it is.
      path: Their path; what stands under b in a has the path `path.a.b`, in lists and out of them.
      visit: Is given the values of each path, as texts. Keys are values of their object's path.

    Returns: n texts, the same array where no visit gave anything new; and n booleans: the faults.
    """
    roots = [_parsed(text) for text in texts.to_pylist()]
    places: dict[str, list[_Place]] = {}
    keys: list[_Place] = []
    for row, root in enumerate(roots):
        if root is not None:
            holder = [root]
            roots[row] = holder
            for name, place in _walk(row, holder, path):
                (keys if name is None else places.setdefault(name, [])).append(place)
    changed, faults = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    for name, found in places.items():
        _visit_values(name, found, visit, changed, faults)
    if keys:
        _visit_keys(path, keys, visit, changed, faults)
    return _written(texts, roots, path, visit, changed, faults)


def _parsed(text: str | None) -> Any:
    """Returns an object or list, or None."""
    if text is None or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _walk(row: int, holder: Any, path: str) -> Iterator[tuple[str | None, _Place]]:
    """Yields the path and place of each text and number; None for the path of an object's keys."""
    waiting = [(holder, path)]
    while waiting:
        inside, at = waiting.pop()
        pairs = inside.items() if isinstance(inside, dict) else enumerate(inside)
        for key, value in pairs:
            own = f"{at}.{key}" if isinstance(inside, dict) else at
            if isinstance(value, dict | list):
                waiting.append((value, own))
            elif isinstance(value, str | int | float) and not isinstance(value, bool):
                yield own, _Place(row, inside, key)
        if isinstance(inside, dict) and inside:
            yield None, _Place(row, inside, None)


def _visit_values(
    name: str, found: list[_Place], visit: VisitPath, changed: np.ndarray, faults: np.ndarray
) -> None:
    old = [place.holder[place.key] for place in found]
    given = pa.array([_text(value) for value in old], pa.string())
    rows = np.array([place.row for place in found])
    made, bad = visit(given, name, rows)
    faults[rows[bad]] = True
    if made is given:
        return
    for place, before, after in zip(found, given.to_pylist(), made.to_pylist(), strict=True):
        if before != after:
            place.holder[place.key] = after
            changed[place.row] = True


def _visit_keys(
    path: str, found: list[_Place], visit: VisitPath, changed: np.ndarray, faults: np.ndarray
) -> None:
    """Visits the keys of objects; an object in which one is new is written anew, in its order."""
    keys = [(place, key) for place in found for key in place.holder]
    given = pa.array([key for _, key in keys], pa.string())
    rows = np.array([place.row for place, _ in keys])
    made, bad = visit(given, f"{path}.", rows)
    faults[rows[bad]] = True
    if made is given:
        return
    new = {
        (id(place.holder), key): after
        for (place, key), after in zip(keys, made.to_pylist(), strict=True)
        if key != after
    }
    for place in found:
        if any((id(place.holder), key) in new for key in place.holder):
            pairs = [(new.get((id(place.holder), k), k), v) for k, v in place.holder.items()]
            place.holder.clear()
            for key, value in pairs:
                place.holder[_unused(key, place.holder)] = value
            changed[place.row] = True


def _unused(key: str, taken: dict[str, Any]) -> str:
    """Returns a key, or with a number where it is taken: two keys may have become one."""
    numbered, number = key, 1
    while numbered in taken:
        number += 1
        numbered = f"{key} {number}"
    return numbered


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _written(
    texts: pa.Array,
    roots: list[Any],
    path: str,
    visit: VisitPath,
    changed: np.ndarray,
    faults: np.ndarray,
) -> tuple[pa.Array, np.ndarray]:
    """Returns the texts: new ones where something changed, plain ones visited as they are."""
    plain = np.array([root is None for root in roots], bool) & np.asarray(texts.is_valid())
    made = texts.to_pylist()
    for row in np.flatnonzero(changed).tolist():
        made[row] = json.dumps(roots[row][0], ensure_ascii=False, separators=(",", ":"))
    rows = np.flatnonzero(plain)
    if len(rows):
        given = texts.take(pa.array(rows))
        new, bad = visit(given, path, rows)
        faults[rows[bad]] = True
        if new is not given:
            changed[rows] = True
            for row, text in zip(rows.tolist(), new.to_pylist(), strict=True):
                made[row] = text
    return (pa.array(made, pa.string()) if changed.any() else texts), faults
