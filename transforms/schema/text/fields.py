"""The text of messages and of single fields, as protobuf writes it."""

from typing import Any

from transforms.metadata.protos import text_format


def rendered(message: Any, indent: int = 0) -> str:
    """Returns the text of a message, one field a line, indented by so many blanks."""
    return str(text_format.MessageToString(message, as_utf8=True, indent=indent))


def field_lines(descriptor: Any, message: Any, indent: int) -> str:
    """Returns one field of a message, in lines of its own."""
    return rendered(_alone(descriptor, message), indent)


def field_inline(descriptor: Any, message: Any) -> str:
    """Returns one field of a message without a new line, between two blanks."""
    lines = [line.strip() for line in rendered(_alone(descriptor, message)).split("\n")]
    return f" {' '.join(lines).strip()} "


def scalar_text(descriptor: Any, message: Any) -> str:
    """Returns the text of a field's value that is not a message."""
    return rendered(_alone(descriptor, message)).removeprefix(f"{descriptor.name}: ").rstrip("\n")


def is_map(descriptor: Any) -> bool:
    """Returns whether a field is a map."""
    return bool(descriptor.message_type and descriptor.message_type.GetOptions().map_entry)


def _alone(descriptor: Any, message: Any) -> Any:
    """Returns a message of the same type that has only this field."""
    part = type(message)()
    value = getattr(message, descriptor.name)
    if is_map(descriptor):
        for key in value:
            getattr(part, descriptor.name)[key].CopyFrom(value[key])
    elif descriptor.is_repeated:
        getattr(part, descriptor.name).extend(value)
    elif descriptor.message_type is not None:
        getattr(part, descriptor.name).CopyFrom(value)
    else:
        setattr(part, descriptor.name, value)
    return part
