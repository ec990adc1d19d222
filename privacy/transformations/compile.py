"""Transformations of DLP's protos: each becomes a function, or a line about what is missing."""

import datetime
from collections.abc import Callable
from typing import Any

from privacy.transformations.mask import COMMON, CharacterMask
from privacy.transformations.replace import Replace
from privacy.transformations.transformation import Transformation
from transforms.errors import ConfigError

KeyOf = Callable[[Any], bytes]
"""Returns the bytes of a `CryptoKey`."""


def compile_transformation(primitive: Any, info_type: str | None, key_of: KeyOf) -> Transformation:
    """Returns the function of a `PrimitiveTransformation`.

    Args:
      primitive: The proto.
      info_type: The infoType of the values; None for whole cells.
      key_of: Finds keys.

    Raises:
      ConfigError: The local engine has no such transformation, or it is incomplete.
    """
    kind = primitive.WhichOneof("transformation")
    if kind == "replace_with_info_type_config":
        if info_type is None:
            raise ConfigError(
                "replace_with_info_type_config needs an infoType, and a cell has none"
            )
        return Replace(f"[{info_type}]")
    if kind not in _KINDS:
        known = ", ".join(sorted([*_KINDS, "replace_with_info_type_config"]))
        raise ConfigError(f"{kind or 'an empty transformation'}: the local engine has {known}")
    return _KINDS[kind](getattr(primitive, kind), key_of)


def _replace(config: Any, key_of: KeyOf) -> Transformation:
    if config.new_value.WhichOneof("type") is None:
        raise ConfigError("replace_config needs a new_value")
    return Replace(_value_text(config.new_value))


def _redact(config: Any, key_of: KeyOf) -> Transformation:
    return Replace("")


def _mask(config: Any, key_of: KeyOf) -> Transformation:
    if len(config.masking_character) > 1:
        raise ConfigError("character_mask_config: masking_character is one character")
    kinds = config.DESCRIPTOR.fields_by_name["characters_to_ignore"].message_type
    names = kinds.fields_by_name["common_characters_to_ignore"].enum_type.values_by_number
    ignored = "".join(
        each.characters_to_skip or COMMON.get(names[each.common_characters_to_ignore].name, "")
        for each in config.characters_to_ignore
    )
    character = config.masking_character or "*"
    return CharacterMask(character, config.number_to_mask, config.reverse_order, ignored)


def _fpe(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.crypto.alphabets import ALPHABETS, custom_alphabet, radix_alphabet
    from privacy.transformations.fpe import FfxFpe

    kind = config.WhichOneof("alphabet")
    if kind == "common_alphabet":
        number = config.common_alphabet
        names = config.DESCRIPTOR.fields_by_name["common_alphabet"].enum_type.values_by_number
        alphabet = ALPHABETS.get(names[number].name, "")
    elif kind == "custom_alphabet":
        alphabet = custom_alphabet(config.custom_alphabet)
    else:
        alphabet = radix_alphabet(config.radix) if kind else ""
    if not alphabet:
        raise ConfigError("crypto_replace_ffx_fpe_config needs an alphabet")
    key, surrogate = key_of(config.crypto_key), config.surrogate_info_type.name
    return FfxFpe(key, alphabet, surrogate, config.context.name)


def _bound(value: Any, name: str) -> tuple[str, float | str]:
    """Returns the kind and the key of a bucket's bound."""
    kind = value.WhichOneof("type")
    if kind in ("integer_value", "float_value"):
        return "number", float(getattr(value, kind))
    if kind == "string_value":
        return "text", value.string_value
    if kind == "date_value":
        day = value.date_value
        return "day", float((datetime.date(day.year, day.month, day.day) - _EPOCH).days)
    if kind == "timestamp_value":
        return "day", float(value.timestamp_value.seconds // 86_400)
    raise ConfigError(f"{name}: a bound must be a number, text or day, not {kind or 'nothing'}")


_EPOCH = datetime.date(1970, 1, 1)


def _fixed(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.transformations.buckets import FixedSizeBuckets

    name = "fixed_size_bucketing_config"
    (kind, low), (other, high) = (
        _bound(each, name) for each in (config.lower_bound, config.upper_bound)
    )
    if {kind, other} != {"number"}:
        raise ConfigError(f"{name}: bounds must be numbers")
    size = config.bucket_size
    if not size > 0 or not float(high) > float(low):
        raise ConfigError(f"{name}: bucket_size must be above 0, and upper_bound above lower_bound")
    whole = all(float(each).is_integer() for each in (low, high, size))
    return FixedSizeBuckets(float(low), float(high), float(size), whole)


def _buckets(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.transformations.buckets import Bucket, Buckets

    name, kinds, made = "bucketing_config", set[str](), []
    for each in config.buckets:
        ends: list[Any] = []
        for field in ("min_", "max_"):
            kind, end = _bound(getattr(each, field), name) if each.HasField(field) else ("", None)
            kinds |= {kind} - {""}
            ends.append(end)
        text = _value_text(each.replacement_value) or (
            f"{_value_text(each.min_)}-{_value_text(each.max_)}"
        )
        made.append(Bucket(ends[0], ends[1], text))
    if len(kinds) != 1:
        raise ConfigError(f"{name}: buckets need bounds, all of one kind")
    return Buckets(tuple(made), kinds.pop())


def _value_text(value: Any) -> str:
    """Returns a value of DLP's as a text; empty where it has none."""
    kind = value.WhichOneof("type")
    if kind is None:
        return ""
    if kind == "date_value":
        day = value.date_value
        return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"
    if kind == "timestamp_value":
        return str(value.timestamp_value.ToDatetime().isoformat(" "))
    given = getattr(value, kind)
    return (
        str(given).lower()
        if kind == "boolean_value"
        else f"{given:g}"
        if isinstance(given, float)
        else str(given)
    )


def _time_part(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.transformations.calendar import TimePart

    names = config.DESCRIPTOR.fields_by_name["part_to_extract"].enum_type.values_by_number
    if not config.part_to_extract:
        raise ConfigError("time_part_config needs a part_to_extract")
    return TimePart(names[config.part_to_extract].name)


def _date_shift(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.crypto.date_shift import check_bounds
    from privacy.transformations.calendar import DateShift

    if bool(config.context.name) != config.HasField("crypto_key"):
        raise ConfigError("date_shift_config: context and crypto_key go together")
    check_bounds(config.lower_bound_days, config.upper_bound_days)
    key = key_of(config.crypto_key) if config.context.name else _of_the_run("shifts", key_of)
    return DateShift(config.lower_bound_days, config.upper_bound_days, key, config.context.name)


def _hash(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.transformations.pseudonyms import CryptoHash

    return CryptoHash(key_of(config.crypto_key))


def _deterministic(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.transformations.pseudonyms import Deterministic

    key, surrogate = key_of(config.crypto_key), config.surrogate_info_type.name
    return Deterministic(key, surrogate, config.context.name)


def _dictionary(config: Any, key_of: KeyOf) -> Transformation:
    from privacy.transformations.pseudonyms import ReplaceDictionary

    words = tuple(config.word_list.words)
    if not words:
        raise ConfigError("replace_dictionary_config needs a word_list")
    return ReplaceDictionary(words, _of_the_run("words", key_of))


def _of_the_run(use: str, key_of: KeyOf) -> bytes:
    """Returns a key that lives as long as the policy: what DLP draws by chance is drawn by it."""
    from google.cloud.dlp_v2.types import CryptoKey

    return key_of(CryptoKey.pb()(transient={"name": f"random {use}"}))


_KINDS: dict[str, Callable[[Any, KeyOf], Transformation]] = {
    "replace_config": _replace,
    "redact_config": _redact,
    "character_mask_config": _mask,
    "crypto_replace_ffx_fpe_config": _fpe,
    "crypto_deterministic_config": _deterministic,
    "crypto_hash_config": _hash,
    "replace_dictionary_config": _dictionary,
    "fixed_size_bucketing_config": _fixed,
    "bucketing_config": _buckets,
    "time_part_config": _time_part,
    "date_shift_config": _date_shift,
}
