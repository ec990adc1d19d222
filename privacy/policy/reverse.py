"""The policy that takes back what another one did: tokens are found, and become what they were."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from privacy.policy.policy import Policy
from privacy.policy.protos import messages
from transforms.errors import ConfigError

REVERSIBLE = ("crypto_replace_ffx_fpe_config", "crypto_deterministic_config")
"""Of DLP's transformations those that can be taken back."""


def reversing(policy: Policy) -> Policy:
    """Returns the policy of a re-identification, as Cloud DLP wants it.

    In texts tokens are found by the infoType of their surrogate, so it looks for these; whole
    cells are decrypted as they are. Masked, replaced and hashed values stay what they are.

    Raises:
      ConfigError: Nothing of it can be taken back, or a key is gone.
    """
    config, infos = policy.deidentify_config, list[Any]()
    made, inspect = messages().deidentify(), messages().inspect()
    retired = _retired(policy)
    for each in config.info_type_transformations.transformations:
        infos += _of_surrogate(each)
    if config.WhichOneof("transformation") != "record_transformations":
        infos += retired
    if infos:
        made.info_type_transformations.transformations.extend(infos)
    for field in config.record_transformations.field_transformations:
        inner = [
            kept
            for each in field.info_type_transformations.transformations
            for kept in _of_surrogate(each)
        ]
        if _is_reversible(field.primitive_transformation):
            made.record_transformations.field_transformations.add().CopyFrom(field)
        elif inner:
            kept = made.record_transformations.field_transformations.add()
            kept.CopyFrom(field)
            del kept.info_type_transformations.transformations[:]
            inner += retired
            kept.info_type_transformations.transformations.extend(inner)
            infos += inner
    _check_retired(policy, infos)
    if not infos and not made.record_transformations.field_transformations:
        raise ConfigError(
            f"--policy {policy.name}: nothing of it can be taken back: only "
            f"{' and '.join(REVERSIBLE)} can, and within texts only with a surrogate_info_type"
        )
    if config.HasField("transformation_error_handling"):
        made.transformation_error_handling.CopyFrom(config.transformation_error_handling)
    _check_keys(policy.name, made)
    for name in dict.fromkeys(kind.name for each in infos for kind in each.info_types):
        custom = inspect.custom_info_types.add()
        custom.info_type.name = name
        custom.surrogate_type.SetInParent()
    return replace(
        policy,
        inspect_bytes=inspect.SerializeToString(deterministic=True),
        deidentify_bytes=made.SerializeToString(deterministic=True),
    )


def _is_reversible(primitive: Any) -> bool:
    return primitive.WhichOneof("transformation") in REVERSIBLE


def _of_surrogate(transformation: Any) -> Iterator[Any]:
    """Yields the transformation of the tokens that one has made, if they can be found."""
    primitive = transformation.primitive_transformation
    if not _is_reversible(primitive):
        return
    name = getattr(primitive, primitive.WhichOneof("transformation")).surrogate_info_type.name
    if name:
        made = type(transformation)(primitive_transformation=primitive)
        made.info_types.add(name=name)
        yield made


def _retired(policy: Policy) -> list[Any]:
    """Returns the transformations of the tokens of earlier keys.

    Raises:
      ConfigError: The tokens of one can't be found, or can't be taken back.
    """
    made: list[Any] = []
    for each in policy.retired:
        found = list(_of_surrogate(each))
        if not found:
            raise ConfigError(
                f"--policy {policy.name}: retired: only {' and '.join(REVERSIBLE)} with a "
                "surrogate_info_type can be taken back: by its name tokens are known"
            )
        made += found
    return made


def _check_retired(policy: Policy, infos: list[Any]) -> None:
    names = [kind.name for each in infos for kind in each.info_types]
    for each in _retired(policy):
        name = each.info_types[0].name
        if name not in names:
            raise ConfigError(
                f"--policy {policy.name}: retired: {name} is for tokens within texts, and the "
                "policy transforms whole cells only: re-identify those rows with the policy that "
                "made them"
            )
        keys = {
            each.primitive_transformation.SerializeToString(deterministic=True)
            for each in infos
            if each.info_types[0].name == name
        }
        if len(keys) > 1:
            raise ConfigError(
                f"--policy {policy.name}: retired: {name} is the surrogate of two keys, and "
                "nobody can tell their tokens apart: give each key a name of its own"
            )


def _check_keys(name: str, config: Any) -> None:
    for key in keys_of(config):
        if key.HasField("transient") and ":" not in key.transient.name:
            raise ConfigError(
                f"--policy {name}: key {key.transient.name!r} is transient: it was gone when the "
                "run that made the tokens ended. Name a key that stays: env:NAME, file:PATH"
            )


def keys_of(message: Any) -> Iterator[Any]:
    """Yields all `CryptoKey` messages within a message."""
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE:
            several: Iterable[Any] = value if descriptor.is_repeated else [value]
            for each in several:
                if each.DESCRIPTOR.name == "CryptoKey":
                    yield each
                else:
                    yield from keys_of(each)
