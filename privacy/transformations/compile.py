"""Transformations of DLP's protos: each becomes a function, or a line about what is missing."""

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
    kind = config.new_value.WhichOneof("type")
    if kind is None:
        raise ConfigError("replace_config needs a new_value")
    value = getattr(config.new_value, kind)
    if kind not in ("string_value", "integer_value", "float_value", "boolean_value"):
        raise ConfigError(f"replace_config: new_value must be a text or number, not a {kind}")
    return Replace(str(value).lower() if kind == "boolean_value" else str(value))


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

    if config.context.name:
        raise ConfigError("crypto_replace_ffx_fpe_config: the local engine has no context yet")
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
    return FfxFpe(key_of(config.crypto_key), alphabet, config.surrogate_info_type.name)


_KINDS: dict[str, Callable[[Any, KeyOf], Transformation]] = {
    "replace_config": _replace,
    "redact_config": _redact,
    "character_mask_config": _mask,
    "crypto_replace_ffx_fpe_config": _fpe,
}
