"""What the cloud engine needs to know: where DLP is, what it shall do, and to which columns."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from google.cloud.dlp_v2 import types

from privacy.cloud.limits import Limits
from privacy.cloud.pacing import PER_MINUTE
from privacy.crypto.keys import KINDS, resolve_key, wrapped_key
from transforms.errors import ConfigError

ROW = "millrace_row"
"""The column of row numbers that goes with what is to be transformed, so that rows find back."""

EMULATOR = "DLP_EMULATOR_HOST"
"""The variable that says where the emulator listens; Google's client has none."""

_PARENT = re.compile(r"projects/([^/]+)(?:/locations/([^/]+))?")
_TYPE_KEPT = "date_shift_config"


@dataclass(frozen=True)
class CloudPolicy:
    """A policy as the cloud engine takes it.

    Args:
      parent: `projects/P` or `projects/P/locations/L`; without a location, `global` is meant.
      columns: The columns that the policy touches, and those that its conditions and contexts
        read. No other column is sent.
      inspect_bytes: DLP's InspectConfig, serialised.
      deidentify_bytes: DLP's DeidentifyConfig, serialised; for re-identification, the config to
        reverse. Where a crypto key is a reference (`env:KEY`), it is resolved when it is sent.
      looked_at: The columns that infoType transformations are for; all, if empty.
      endpoint: Of the service, where it is not the default: a regional one, or the emulator.
      insecure: Whether the endpoint has neither TLS nor credentials, as the emulator.
      per_minute: The quota of requests a minute of this process.
      in_flight: How many requests may be out at once.
      deadline: Of one request, in seconds; a service that hangs is asked again then.
      patience: How long a request may take with all its retries, in seconds.
      limits: Of one request.
      name: What the policy is called in dead letters.
    """

    parent: str
    columns: tuple[str, ...]
    inspect_bytes: bytes = b""
    deidentify_bytes: bytes = field(default=b"", repr=False)
    looked_at: tuple[str, ...] = ()
    endpoint: str | None = None
    insecure: bool = False
    per_minute: float = PER_MINUTE
    in_flight: int = 16
    deadline: float = 60.0
    patience: float = 900.0
    limits: Limits = field(default_factory=Limits)
    name: str | None = None

    def __post_init__(self) -> None:
        if not _PARENT.fullmatch(self.parent):
            raise ConfigError(f"parent {self.parent!r} is not projects/P or projects/P/locations/L")
        if ROW in self.columns:
            raise ConfigError(f"column {ROW!r} has the name of the engine's own: rename it")
        if not self.columns:
            raise ConfigError("the policy touches no column: nothing would be sent to Cloud DLP")
        if self.in_flight < 1 or self.per_minute <= 0:
            raise ConfigError("in_flight and per_minute must be above 0")

    @property
    def address(self) -> str:
        """The endpoint: a location has a regional one, which keeps the data there.

        Where nothing else is said, `DLP_EMULATOR_HOST` names the emulator's.
        """
        match = _PARENT.fullmatch(self.parent)
        assert match
        location = match[2]
        if self.endpoint or emulator():
            return self.endpoint or emulator()
        return (
            f"dlp.{location}.rep.googleapis.com"
            if location not in (None, "global")
            else ("dlp.googleapis.com")
        )

    @property
    def is_plain(self) -> bool:
        """Whether the endpoint has neither TLS nor credentials."""
        return self.insecure or (not self.endpoint and bool(emulator()))

    def inspect(self) -> Any:
        """Returns the InspectConfig as a message."""
        return types.InspectConfig.pb().FromString(self.inspect_bytes)

    def deidentify(self) -> Any:
        """Returns the DeidentifyConfig as a message, with keys, and infoTypes bound to columns."""
        config = types.DeidentifyConfig.pb().FromString(self.deidentify_bytes)
        if not config.WhichOneof("transformation"):
            raise ConfigError("the policy has no deidentify_config: nothing would be transformed")
        put_keys(config)
        return bound(config, self.looked_at or self.columns)


def emulator() -> str:
    """Returns where the emulator listens that this process is to use; empty for Cloud DLP."""
    return os.environ.get(EMULATOR, "")


def put_keys(message: Any) -> None:
    """Puts keys where a policy has references, in place: all kinds but `kms:` as unwrapped keys."""
    for descriptor, value in message.ListFields():
        if descriptor.type != descriptor.TYPE_MESSAGE:
            continue
        for each in value if descriptor.is_repeated else [value]:
            if each.DESCRIPTOR.name == "CryptoKey":
                _put_key(each)
            else:
                put_keys(each)


def _put_key(key: Any) -> None:
    name = key.transient.name
    if name.partition(":")[0] not in KINDS or ":" not in name:
        return
    if name.startswith("kms:"):
        key.kms_wrapped.crypto_key_name, key.kms_wrapped.wrapped_key = wrapped_key(name)
    else:
        key.unwrapped.key = resolve_key(name)


def bound(config: Any, columns: Sequence[str]) -> Any:
    """Returns a config whose infoType transformations are for given columns only.

    For tables this is the same, and what stands in the column of row numbers is left alone.
    """
    if not config.HasField("info_type_transformations"):
        return config
    made = type(config)()
    made.CopyFrom(config)
    whole = made.record_transformations.field_transformations.add()
    for name in columns:
        whole.fields.add(name=name)
    whole.info_type_transformations.CopyFrom(config.info_type_transformations)
    return made


def splits_by_column(config: Any) -> bool:
    """Tells whether the cells of a row can be asked for one by one: where no other cell is read."""
    record = config.record_transformations
    return not record.record_suppressions and not any(
        each.HasField("condition") or _has_context(each) for each in record.field_transformations
    )


def _has_context(message: Any) -> bool:
    """Tells whether another field decides about a transformation."""
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE:
            if descriptor.name == "context":
                return True
            several = value if descriptor.is_repeated else [value]
            if any(_has_context(each) for each in several):
                return True
    return False


def looks_into(config: Any, column: str) -> bool:
    """Tells whether the texts of a column are looked through, and no cell of it changes whole."""
    return not any(
        each.HasField("primitive_transformation") and any(x.name == column for x in each.fields)
        for each in config.record_transformations.field_transformations
    )


def narrowed(config: Any, column: str) -> Any:
    """Returns the config for a table of one column."""
    made = type(config)()
    made.CopyFrom(config)
    for each in made.record_transformations.field_transformations:
        kept = [field for field in each.fields if field.name == column]
        del each.fields[:]
        each.fields.extend(kept)
    steps = made.record_transformations.field_transformations
    about = [each for each in steps if each.fields]
    del steps[:]
    steps.extend(about)
    return made


def text_columns(config: Any) -> set[str]:
    """Returns the columns whose whole cells become texts; a shifted date stays a date."""
    kinds = (_TYPE_KEPT, None)
    return {
        field.name
        for each in config.record_transformations.field_transformations
        if each.primitive_transformation.WhichOneof("transformation") not in kinds
        for field in each.fields
    }
