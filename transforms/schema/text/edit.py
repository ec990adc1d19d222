"""Edits a text proto where a message has changed, and leaves the rest as someone wrote it."""

from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from transforms.metadata.protos import text_format
from transforms.schema.text.entries import Entry, read_entries
from transforms.schema.text.fields import field_inline, field_lines, is_map, rendered, scalar_text

_STEP = 2


def edit_text(text: str, old: Any, new: Any) -> str:
    """Returns the text of a message after a change.

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


def _edited(place: _Place, old: Any, new: Any) -> str:
    """Returns the text of a message, without its brackets."""
    entries = list(read_entries(place.text, place.start, place.end))
    editor = _Editor(_as_indented(place, entries), entries, old, new)
    for descriptor in new.DESCRIPTOR.fields:
        editor.edit(descriptor)
    return editor.text()


def _as_indented(place: _Place, entries: list[Entry]) -> _Place:
    """Returns the indentation of a message's entries: that of the first that begins a line."""
    for entry in [] if place.is_inline else entries:
        line = place.text.rfind("\n", 0, entry.at) + 1
        if not place.text[line : entry.at].strip():
            return _Place(place.text, place.start, place.end, entry.at - line)
    return place


@dataclass
class _Editor:
    """What becomes of the entries of one message.

    Attributes:
      place: Where it stands.
      entries: Its fields, as they stand there.
      old: What they say.
      new: What they are to say.
      replaced: The new text of an entry, by its number; without it, it stays.
      before: What comes before an entry, by its number; the number behind the last is the end.
    """

    place: _Place
    entries: list[Entry]
    old: Any
    new: Any
    replaced: dict[int, str] = field(default_factory=dict)
    before: dict[int, str] = field(default_factory=dict)

    def edit(self, descriptor: Any) -> None:
        """Has the entries of a field say what is new."""
        name = descriptor.name
        numbers = [at for at, entry in enumerate(self.entries) if entry.name == name]
        if descriptor.is_repeated:
            if getattr(self.old, name) != getattr(self.new, name):
                self._edit_repeated(descriptor, numbers)
        elif not self.new.HasField(name):
            self._drop(numbers)
        elif not numbers:
            self._insert(len(self.entries), descriptor, self.new)
        elif getattr(self.old, name) != getattr(self.new, name):
            self._change(numbers[0], descriptor, getattr(self.old, name), self.new)

    def _edit_repeated(self, descriptor: Any, numbers: list[int]) -> None:
        before, after = getattr(self.old, descriptor.name), getattr(self.new, descriptor.name)
        in_brackets = any(self.entries[number].opened == "[" for number in numbers)
        if is_map(descriptor) or in_brackets or len(numbers) != len(before):
            # Maps, and lists in brackets: their parts have no entries of their own.
            self._drop(numbers)
            first = numbers[0] if numbers else len(self.entries)
            self._insert(first, descriptor, self.new)
            return
        behind = numbers[-1] + 1 if numbers else len(self.entries)
        ours, theirs = ([_key(descriptor, value) for value in each] for each in (before, after))
        matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            if tag == "equal":
                for number, was, is_ in zip(
                    numbers[i1:i2], before[i1:i2], after[j1:j2], strict=True
                ):
                    if was != is_:
                        self._change(number, descriptor, was, is_)
                continue
            self._drop(numbers[i1:i2])
            if j2 > j1:
                part = type(self.new)()
                getattr(part, descriptor.name).extend(after[j1:j2])
                self._insert(numbers[i1] if i1 < len(numbers) else behind, descriptor, part)

    def _change(self, number: int, descriptor: Any, was: Any, new: Any) -> None:
        """Has an entry another value: of a message, edited inside."""
        entry, text = self.entries[number], self.place.text
        start, end = entry.value
        if descriptor.message_type is None:
            value = scalar_text(descriptor, new)
        else:
            is_ = new if descriptor.is_repeated else getattr(new, descriptor.name)
            inside = _Place(text, start + 1, end - 1, self.place.indent + _STEP)
            value = text[start] + _edited(inside, was, is_) + text[end - 1]
        self.replaced[number] = text[entry.start : start] + value + text[end : entry.end]

    def _insert(self, number: int, descriptor: Any, message: Any) -> None:
        if self.place.is_inline:
            text = field_inline(descriptor, message)
        else:
            text = field_lines(descriptor, message, self.place.indent)
        self.before[number] = self.before.get(number, "") + text

    def _drop(self, numbers: list[int]) -> None:
        """Takes entries away, but for the line above, and comments that a blank line parts."""
        text = self.place.text
        for number in numbers:
            entry = self.entries[number]
            above = text[entry.start : entry.at]
            begins_line = text[entry.start - 1 : entry.start] in ("", "\n")
            line = 0 if begins_line else above.find("\n") + 1
            blank = above.rfind("\n\n")
            kept = blank + 2 if "#" in above[line : max(blank, 0)] else line
            self.replaced[number] = above[:kept]

    def text(self) -> str:
        """Returns the text of the message."""
        place, entries = self.place, self.entries
        text = "".join(self._entry_text(number) for number in range(len(entries)))
        behind = place.text[entries[-1].end if entries else place.start : place.end]
        end = self.before.get(len(entries), "")
        if not end or place.is_inline:
            return text + end + behind
        if text:
            return text + ("" if text.endswith("\n") else "\n") + end + behind
        if not place.indent:
            # A file of nothing but comments.
            return behind + ("" if behind.endswith("\n") or not behind else "\n") + end
        first, _, rest = behind.partition("\n")
        return f"{first}\n{end}{rest}"

    def _entry_text(self, number: int) -> str:
        entry = self.entries[number]
        text = self.replaced.get(number, self.place.text[entry.start : entry.end])
        before = self.before.get(number, "")
        if before and number == 0 and self.place.start > 0 and not self.place.is_inline:
            # The first begins behind the bracket; what comes before it, on the next line.
            first, _, text = text.partition("\n")
            before = f"{first}\n{before}"
        return before + text


def _key(descriptor: Any, value: Any) -> Any:
    """Returns the key by which elements match: a message's name, or the element itself."""
    if descriptor.message_type is None:
        return value
    if "name" in descriptor.message_type.fields_by_name:
        return value.name
    return value.SerializeToString(deterministic=True)
