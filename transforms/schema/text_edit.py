"""Edits a text proto where a message has changed, and leaves the rest as someone wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from transforms.schema.protos import text_format
from transforms.schema.text_entries import Entry, read_entries

_STEP = 2


def edit_text(text: str, old: Any, new: Any) -> str:
    """The text of a message after a change.

    Args:
      text: Of the old message, with comments, in any layout.
      old: What the text says.
      new: A message of the same type.

    Returns: A text that says what `new` does. Fields that are the same stand as they did, with
      their comments; of those that are not, nested ones are edited in turn; what is new comes
      behind its like. Where this is not possible, such as when features changed places, the text
      is written anew.
    """
    if old == new:
        return text
    if "\r\n" in text:
        return edit_text(text.replace("\r\n", "\n"), old, new).replace("\n", "\r\n")
    try:
        edited = _edited(_Place(text, 0, len(text), 0), old, new)
        if text_format.Parse(edited, type(new)()) == new:
            return edited
    except (ValueError, text_format.ParseError):
        pass
    return rendered(new)


def rendered(message: Any, indent: int = 0) -> str:
    """The text of a message, a field a line."""
    return str(text_format.MessageToString(message, as_utf8=True, indent=indent))


@dataclass(frozen=True)
class _Place:
    """Where a message stands: a text, from and to where, and how far in its entries are."""

    text: str
    start: int
    end: int
    indent: int

    @property
    def is_inline(self) -> bool:
        return self.indent > 0 and "\n" not in self.text[self.start : self.end]


@dataclass
class _Edits:
    """What becomes of the entries of a message.

    Attributes:
      replaced: The new text of an entry, by its number; without it, it stays.
      before: What comes before an entry, by its number; the number behind the last is the end.
    """

    replaced: dict[int, str] = field(default_factory=dict)
    before: dict[int, str] = field(default_factory=dict)

    def insert(self, number: int, text: str) -> None:
        self.before[number] = self.before.get(number, "") + text


def _edited(place: _Place, old: Any, new: Any) -> str:
    """The text of a message, without its brackets."""
    entries = list(read_entries(place.text, place.start, place.end))
    indent = place.indent if place.is_inline else _indent_of(place, entries)
    edits = _Edits()
    inner = _Place(place.text, place.start, place.end, indent)
    for descriptor in new.DESCRIPTOR.fields:
        numbers = [at for at, entry in enumerate(entries) if entry.name == descriptor.name]
        if _values(descriptor, old) == _values(descriptor, new) and _same(descriptor, old, new):
            continue
        if descriptor.is_repeated:
            _edit_repeated(inner, entries, numbers, descriptor, old, new, edits)
        else:
            _edit_single(inner, entries, numbers, descriptor, old, new, edits)
    return _joined(inner, entries, edits)


def _same(descriptor: Any, old: Any, new: Any) -> bool:
    """Whether a field is set in both or in neither."""
    if descriptor.is_repeated or not descriptor.has_presence:
        return True
    return bool(old.HasField(descriptor.name) == new.HasField(descriptor.name))


def _values(descriptor: Any, message: Any) -> Any:
    value = getattr(message, descriptor.name)
    if _is_map(descriptor):
        return dict(value)
    return list(value) if descriptor.is_repeated else value


def _is_map(descriptor: Any) -> bool:
    return bool(descriptor.message_type and descriptor.message_type.GetOptions().map_entry)


def _edit_single(
    place: _Place,
    entries: list[Entry],
    numbers: list[int],
    descriptor: Any,
    old: Any,
    new: Any,
    edits: _Edits,
) -> None:
    is_set = not descriptor.has_presence or new.HasField(descriptor.name)
    if not numbers:
        edits.insert(len(entries), _field_text(place, descriptor, new))
    elif not is_set:
        for number in numbers:
            edits.replaced[number] = _left_of(place, entries[number])
    else:
        edits.replaced[numbers[-1]] = _changed(
            place, entries[numbers[-1]], descriptor, getattr(old, descriptor.name), new
        )


def _changed(place: _Place, entry: Entry, descriptor: Any, old: Any, new: Any) -> str:
    """An entry with another value: of a message, edited inside."""
    start, end = entry.value
    if descriptor.message_type is not None:
        inside = _Place(place.text, start + 1, end - 1, place.indent + _STEP)
        value = getattr(new, descriptor.name) if not descriptor.is_repeated else new
        middle = place.text[start] + _edited(inside, old, value) + place.text[end - 1]
    else:
        middle = _scalar_text(descriptor, new)
    return place.text[entry.start : start] + middle + place.text[end : entry.end]


def _edit_repeated(
    place: _Place,
    entries: list[Entry],
    numbers: list[int],
    descriptor: Any,
    old: Any,
    new: Any,
    edits: _Edits,
) -> None:
    before, after = _values(descriptor, old), _values(descriptor, new)
    in_brackets = any(entries[number].opened == "[" for number in numbers)
    if _is_map(descriptor) or in_brackets or len(numbers) != len(before):
        # Maps, and lists in brackets: their parts have no entries of their own.
        for number in numbers:
            edits.replaced[number] = _left_of(place, entries[number])
        edits.insert(numbers[0] if numbers else len(entries), _field_text(place, descriptor, new))
        return
    behind = numbers[-1] + 1 if numbers else len(entries)
    keys = [[_key(descriptor, value) for value in values] for values in (before, after)]
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            for number, was, is_ in zip(numbers[i1:i2], before[i1:i2], after[j1:j2], strict=True):
                if was != is_:
                    edits.replaced[number] = _changed(place, entries[number], descriptor, was, is_)
            continue
        for number in numbers[i1:i2]:
            edits.replaced[number] = _left_of(place, entries[number])
        if j2 > j1:
            part = type(new)()
            getattr(part, descriptor.name).extend(after[j1:j2])
            at = numbers[i1] if i1 < len(numbers) else behind
            edits.insert(at, _field_text(place, descriptor, part))


def _key(descriptor: Any, value: Any) -> Any:
    """By what elements are matched: messages by their name, others by what they are."""
    if descriptor.message_type is None:
        return value
    if "name" in descriptor.message_type.fields_by_name:
        return value.name
    return value.SerializeToString(deterministic=True)


def _left_of(place: _Place, entry: Entry) -> str:
    """What stays of an entry that goes: the line above, and comments that a blank line parts."""
    above = place.text[entry.start : entry.at]
    line = 0 if place.text[entry.start - 1 : entry.start] in ("", "\n") else above.find("\n") + 1
    blank = above.rfind("\n\n")
    return above[: blank + 2 if "#" in above[line : max(blank, 0)] else line]


def _field_text(place: _Place, descriptor: Any, message: Any) -> str:
    """A field alone, in lines of its own, or in the line where its message stands."""
    part = type(message)()
    value = getattr(message, descriptor.name)
    if _is_map(descriptor):
        for key in value:
            getattr(part, descriptor.name)[key].CopyFrom(value[key])
    elif descriptor.is_repeated:
        getattr(part, descriptor.name).extend(value)
    elif descriptor.message_type is not None:
        getattr(part, descriptor.name).CopyFrom(value)
    else:
        setattr(part, descriptor.name, value)
    if place.is_inline:
        lines = [line.strip() for line in rendered(part).split("\n")]
        return f" {' '.join(lines).strip()} "
    return rendered(part, place.indent)


def _scalar_text(descriptor: Any, message: Any) -> str:
    part = type(message)()
    setattr(part, descriptor.name, getattr(message, descriptor.name))
    return rendered(part).removeprefix(f"{descriptor.name}: ").rstrip("\n")


def _indent_of(place: _Place, entries: list[Entry]) -> int:
    """How far in the entries of a message are, as the first that begins a line shows."""
    for entry in entries:
        line = place.text.rfind("\n", 0, entry.at) + 1
        if not place.text[line : entry.at].strip():
            return entry.at - line
    return place.indent


def _joined(place: _Place, entries: list[Entry], edits: _Edits) -> str:
    parts = list(_parts(place, entries, edits))
    behind = place.text[entries[-1].end if entries else place.start : place.end]
    end = edits.before.get(len(entries), "")
    if end and not place.is_inline:
        return _in_lines("".join(parts), end, behind, place)
    return "".join(parts) + end + behind


def _in_lines(text: str, end: str, behind: str, place: _Place) -> str:
    """Puts lines behind what stands there, on lines of their own."""
    if text:
        return text + ("" if text.endswith("\n") else "\n") + end + behind
    if not place.indent:
        # A file of nothing but comments.
        return behind + ("" if behind.endswith("\n") or not behind else "\n") + end
    first, _, rest = behind.partition("\n")
    return f"{first}\n{end}{rest}"


def _parts(place: _Place, entries: list[Entry], edits: _Edits) -> Iterator[str]:
    for number, entry in enumerate(entries):
        text = edits.replaced.get(number, place.text[entry.start : entry.end])
        before = edits.before.get(number, "")
        if before and number == 0 and place.start > 0 and not place.is_inline:
            # The first begins behind the bracket; what comes before it, on the next line.
            first, _, text = text.partition("\n")
            before = f"{first}\n{before}"
        yield before + text
