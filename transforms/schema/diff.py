"""What differs between two schemas, in plain words."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from transforms.metadata.arguments import check_schema
from transforms.metadata.protos import schema_pb2
from transforms.words import handful, quoted

_LETTERS = 200
_PLAIN = {
    "presence.min_fraction": "least share of rows that have it",
    "presence.min_count": "least number of rows that have it",
    "value_count.min": "least number of values",
    "value_count.max": "greatest number of values",
    "type": "type",
    "domain": "shared domain",
    "lifecycle_stage": "lifecycle stage",
    "distribution_constraints.min_domain_mass": "least share of values in the domain",
    "unique_constraints.min": "least number of distinct values",
    "unique_constraints.max": "greatest number of distinct values",
    "int_domain.min": "least value",
    "int_domain.max": "greatest value",
    "float_domain.min": "least value",
    "float_domain.max": "greatest value",
    "drift_comparator.infinity_norm.threshold": "L-infinity drift allowed",
    "drift_comparator.jensen_shannon_divergence.threshold": "Jensen-Shannon drift allowed",
    "skew_comparator.infinity_norm.threshold": "L-infinity skew allowed",
    "skew_comparator.jensen_shannon_divergence.threshold": "Jensen-Shannon skew allowed",
    "value": "values",
    "in_environment": "environments that have it",
    "not_in_environment": "environments without it",
    "default_environment": "default environments",
}


def diff_schemas(old: schema_pb2.Schema, new: schema_pb2.Schema) -> list[str]:
    """Returns a line for each difference, such as `feature "fare": greatest value 100 -> 150`.

    Args:
      old: The schema before.
      new: The schema after.

    Returns: No lines if and only if the two are equal. Features and domains are matched by name;
      if only their order differs, a line says so.

    Raises:
      ConfigError: One of them is not a schema.
    """
    check_schema(old, "old")
    check_schema(new, "new")
    if old == new:
        return []
    return list(_messages(old, new, "", "")) or ["something that has no name differs"]


def _messages(old: Any, new: Any, subject: str, within: str) -> Iterator[str]:
    """Yields the differences of two messages.

    Args:
      old: Of any kind.
      new: Of the same kind.
      subject: What they are part of: the words before the colon.
      within: The fields that lead from there to them.
    """
    for field in old.DESCRIPTOR.fields:
        if _is_map(field):
            yield from _maps(field, old, new)
        elif field.is_repeated and field.message_type:
            yield from _lists(field, old, new, subject, within)
        elif field.is_repeated:
            yield from _values(field, old, new, subject, within)
        elif field.message_type and old.HasField(field.name) and new.HasField(field.name):
            before, after = getattr(old, field.name), getattr(new, field.name)
            yield from _messages(before, after, subject, f"{within}{field.name}.")
        else:
            yield from _single(field, old, new, subject, within)


def _single(field: Any, old: Any, new: Any, subject: str, within: str) -> Iterator[str]:
    before, after = _shown(field, old), _shown(field, new)
    if before != after or _is_set(field, old) != _is_set(field, new):
        yield _line(subject, f"{_named(within + field.name)} {before} -> {after}")


def _shown(field: Any, message: Any) -> str:
    if not _is_set(field, message):
        return "unset"
    value = getattr(message, field.name)
    if field.message_type:
        return _inline(value)
    if field.enum_type:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, float):
        return repr(value) if field.cpp_type == field.CPPTYPE_DOUBLE else f"{value:.9g}"
    return quoted(value) if isinstance(value, str) else str(value)


def _values(field: Any, old: Any, new: Any, subject: str, within: str) -> Iterator[str]:
    before, after = (list(getattr(each, field.name)) for each in (old, new))
    if before == after:
        return
    name = _named(within + field.name)
    added, gone = _beyond(after, before), _beyond(before, after)
    for values, what in ((added, "added"), (gone, "removed")):
        if values:
            listed = handful((quoted(str(value)) for value in values), len(values))
            yield _line(subject, f"{name} {what}: {listed}")
    if not added and not gone:
        yield _line(subject, f"{name} in another order")


def _beyond(these: list[Any], those: list[Any]) -> list[Any]:
    """Returns the entries that the first have and the second lack, counting repeats."""
    rest, found = Counter(those), []
    for value in these:
        if rest[value]:
            rest[value] -= 1
        else:
            found.append(value)
    return found


def _lists(field: Any, old: Any, new: Any, subject: str, within: str) -> Iterator[str]:
    before, after = list(getattr(old, field.name)), list(getattr(new, field.name))
    if before == after:
        return
    ours, theirs = _keyed(before, field), _keyed(after, field)
    if ours is None or theirs is None:
        yield _line(subject, f"{_named(within + field.name)} {_texts(before)} -> {_texts(after)}")
        return
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        title = f"{subject}{', ' if subject else ''}{field.name.replace('_', ' ')} {quoted(name)}"
        if name not in theirs:
            yield f"{title}: removed"
        elif name not in ours:
            yield f"{title}: added{_summary(theirs[name])}"
        else:
            yield from _messages(ours[name], theirs[name], title, "")
    if [name for name in ours if name in theirs] != [name for name in theirs if name in ours]:
        yield _line(subject, f"{_named(within + field.name)} in another order")


def _keyed(messages: list[Any], field: Any) -> dict[str, Any] | None:
    """Messages by name; None if they have none, or two have the same."""
    if "name" not in field.message_type.fields_by_name:
        return None
    named = {message.name: message for message in messages}
    return named if len(named) == len(messages) else None


def _summary(message: Any) -> str:
    """Returns the type of a new feature, or the number of values of a new domain."""
    if isinstance(message, schema_pb2.Feature) and message.HasField("type"):
        return f" ({schema_pb2.FeatureType.Name(message.type)})"
    if isinstance(message, schema_pb2.StringDomain):
        return f" ({len(message.value)} values)"
    return ""


def _maps(field: Any, old: Any, new: Any) -> Iterator[str]:
    before, after = getattr(old, field.name), getattr(new, field.name)
    name = _named(field.name)
    for key in sorted({*before, *after}):
        title = f"{name} {quoted(str(key))}"
        if key not in after:
            yield f"{title}: removed"
        elif key not in before:
            yield f"{title}: added"
        elif before[key] != after[key]:
            yield f"{title}: changed"


def _texts(messages: list[Any]) -> str:
    return f"[{handful((_inline(each) for each in messages), len(messages))}]"


def _inline(message: Any) -> str:
    text = "{" + " ".join(str(message).split()) + "}"
    return text if len(text) <= _LETTERS else text[:_LETTERS] + "..."


def _is_set(field: Any, message: Any) -> bool:
    return not field.has_presence or bool(message.HasField(field.name))


def _is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _named(path: str) -> str:
    return _PLAIN.get(path, path)


def _line(subject: str, text: str) -> str:
    return f"{subject}: {text}" if subject else text
