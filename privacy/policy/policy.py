"""A policy: what is looked for, what is done to it, and in which columns."""

import functools
from dataclasses import dataclass, field
from typing import Any

from privacy.policy.protos import messages
from transforms.user_code import Code


@dataclass(frozen=True)
class Columns:
    """Which columns a policy is about.

    Attributes:
      free_text: Texts of any length; each row is looked through.
      structured: One value in a cell; each different value is looked at once.
      leave: Columns that pass as they are.
      json: JSON in texts; the values within have paths, `column.a.b`.
    """

    free_text: tuple[str, ...] = ()
    structured: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    json: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """All that are named."""
        return (*self.free_text, *self.structured, *self.leave, *self.json)


@dataclass(frozen=True)
class Policy:
    """A policy that was read; it can be pickled, and holds no key but transient ones.

    Attributes:
      name: What it is called in messages: its URI.
      inspect_bytes: The `InspectConfig`, serialised.
      deidentify_bytes: The `DeidentifyConfig`, serialised.
      columns: Which columns it is about; by default all.
      engine: `local` or `cloud`.
      location: Where Cloud DLP works; None for `global`.
      inspect_template: The name of a template; engine cloud only.
      deidentify_template: The name of a template; engine cloud only.
      project: The project that Cloud DLP bills; None leaves it to the pipeline's options.
      detectors: Functions that find infoTypes: each with a reference `MODULE:name`, or with a name
        and the file of Python that has it.
      per_minute: The quota of requests a minute of a process; None for Cloud DLP's own.
      transient: A seed of transient keys, made when the policy was read.
      retired_bytes: A `DeidentifyConfig`, serialised, of transformations that are not applied any
        more, but whose tokens are still taken back: those of earlier keys.
    """

    name: str
    inspect_bytes: bytes = b""
    deidentify_bytes: bytes = b""
    columns: Columns = Columns()
    engine: str = "local"
    location: str | None = None
    inspect_template: str | None = None
    deidentify_template: str | None = None
    transient: bytes = field(default=b"", repr=False)
    project: str | None = None
    per_minute: float | None = None
    detectors: tuple[tuple[str, str, Code | None], ...] = ()
    retired_bytes: bytes = field(default=b"", repr=False)

    @functools.cached_property
    def inspect_config(self) -> Any:
        """Returns the `InspectConfig`, a raw protobuf."""
        return messages().inspect.FromString(self.inspect_bytes)

    @functools.cached_property
    def deidentify_config(self) -> Any:
        """Returns the `DeidentifyConfig`, a raw protobuf."""
        return messages().deidentify.FromString(self.deidentify_bytes)

    @property
    def lenient(self) -> bool:
        """Whether values that can't be transformed stay what they are, as the policy says."""
        mode = self.deidentify_config.transformation_error_handling.WhichOneof("mode")
        return bool(mode == "leave_untransformed")

    @functools.cached_property
    def retired(self) -> Any:
        """Returns the transformations of earlier keys, each an `InfoTypeTransformation`."""
        config = messages().deidentify.FromString(self.retired_bytes)
        return config.info_type_transformations.transformations

    def __getstate__(self) -> dict[str, Any]:
        made = ("inspect_config", "deidentify_config", "retired")
        return {name: value for name, value in self.__dict__.items() if name not in made}
