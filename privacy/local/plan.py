"""A policy compiled for the local engine: detectors, rules and transformations, ready to run."""

import functools
import hmac
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from privacy.detectors.codes.code import Code
from privacy.detectors.custom import custom_detector
from privacy.detectors.detector import Detector
from privacy.detectors.table import DETECTORS, NEED_A_MODEL
from privacy.likelihood import Likelihood
from privacy.local.rules import Rule, compile_rules
from privacy.policy.policy import Columns, Policy
from privacy.transformations.compile import compile_transformation
from privacy.transformations.replace import Replace
from privacy.transformations.transformation import Transformation
from transforms.errors import ConfigError
from transforms.nearest import nearest

_GROUP = 6


@dataclass(frozen=True, eq=False)
class Kind:
    """One infoType of a policy.

    Attributes:
      detector: Finds it.
      minimum: The least likelihood that counts.
      reported: Whether it counts itself, or serves rules only.
      transformation: What becomes of it; None leaves it.
    """

    detector: Detector
    minimum: int
    reported: bool = True
    transformation: Transformation | None = None

    @property
    def name(self) -> str:
        """The infoType."""
        return self.detector.name


def joined(detectors: Iterable[Detector]) -> str:
    """Returns one pattern for the prefilters of several detectors."""
    patterns = dict.fromkeys(detector.prefilter for detector in detectors)
    return "|".join(f"(?:{pattern})" for pattern in patterns)


@dataclass(frozen=True, eq=False)
class Group:
    """Some detectors that share a look at a text.

    Attributes:
      detectors: They, with the numbers of their kinds.
    """

    detectors: tuple[tuple[int, Detector], ...]

    @functools.cached_property
    def prefilter(self) -> str:
        """Returns a pattern that matches every text with a hit of one of them."""
        return joined(detector for _, detector in self.detectors)


@dataclass(frozen=True, eq=False)
class Plan:
    """What the local engine does.

    Attributes:
      kinds: The infoTypes that are looked for.
      rules: Hotword and exclusion rules, in order.
      fields: What becomes of whole cells of a column.
      columns: Which columns are looked through.
      name: The policy's name.
    """

    kinds: tuple[Kind, ...]
    rules: tuple[Rule, ...] = ()
    fields: dict[str, Transformation] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    name: str = "policy"

    @property
    def removes(self) -> bool:
        """Whether all that is found is replaced, so that nothing may be found again.

        Tokens and masked texts may look like something else, and are left alone.
        """
        made = [kind.transformation for kind in self.kinds if kind.transformation]
        return bool(made) and all(isinstance(each, Replace) for each in made)

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns named as texts or values; files of text keep them as texts."""
        return (*self.columns.free_text, *self.columns.structured, *self.fields)

    @functools.cached_property
    def codes(self) -> tuple[tuple[int, Code], ...]:
        """Returns the detectors of codes, which are looked for together."""
        return tuple(
            (number, kind.detector)
            for number, kind in enumerate(self.kinds)
            if isinstance(kind.detector, Code)
        )

    @functools.cached_property
    def groups(self) -> tuple[Group, ...]:
        """Returns the other common detectors in groups, whose patterns are tried before theirs."""
        plain = [
            (number, kind.detector)
            for number, kind in enumerate(self.kinds)
            if not kind.detector.apart and not isinstance(kind.detector, Code)
        ]
        # Neighbours in the table are of one nature: a text holds one of them, or none.
        places = {name: place for place, name in enumerate(DETECTORS)}
        plain.sort(key=lambda each: places.get(each[1].name, -1))
        cuts = [0, _GROUP, 2 * _GROUP, max(len(plain), 2 * _GROUP)]
        parts = [tuple(plain[low:high]) for low, high in itertools.pairwise(cuts)]
        return tuple(Group(part) for part in parts if part)

    @functools.cached_property
    def prefilter(self) -> str:
        """Returns one RE2 pattern that matches every text with a hit of a common detector."""
        return joined(kind.detector for kind in self.kinds if not kind.detector.apart)


@functools.lru_cache(8)
def compile_plan(policy: Policy) -> Plan:
    """Compiles a policy for the local engine.

    Raises:
      ConfigError: The engine can't do all that is asked for; the text lists what and why.
    """
    compiler = _Compiler(policy)
    plan = compiler.plan()
    if compiler.problems:
        lines = "".join(f"\n  - {problem}" for problem in dict.fromkeys(compiler.problems))
        raise ConfigError(f"--policy {policy.name}: engine local can't do all of it:{lines}")
    return plan


class _Compiler:
    """Gathers what can't be done while it makes a plan."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.problems = policy, list[str]()
        self.inspect, self.deidentify = policy.inspect_config, policy.deidentify_config

    def plan(self) -> Plan:
        if self.policy.engine != "local":
            self.problems.append(f"engine: {self.policy.engine} is asked for")
        for key in ("inspect_template", "deidentify_template"):
            if getattr(self.policy, key):
                self.problems.append(f"{key}: templates lie in Cloud DLP; export it into this file")
        detectors = self._detectors()
        names = [detector.name for detector, _ in detectors]
        actions, fields = self._actions(names)
        kinds = tuple(
            Kind(detector, self._minimum(detector.name), reported, actions.get(detector.name))
            for detector, reported in detectors
        )
        if not kinds and not fields:
            self.problems.append("inspect_config.info_types: name at least one infoType")
        rules = compile_rules(self.inspect.rule_set, names, self.problems)
        return Plan(kinds, rules, fields, self.policy.columns, self.policy.name)

    def _detectors(self) -> list[tuple[Detector, bool]]:
        """Returns what finds each infoType, and whether it is reported."""
        customs = [
            custom_detector(custom, self.problems) for custom in self.inspect.custom_info_types
        ]
        hidden = {
            custom.info_type.name
            for custom in self.inspect.custom_info_types
            if custom.exclusion_type
        }
        known = {detector.name for detector in customs if detector}
        found = [self._built_in(each.name, known) for each in self.inspect.info_types]
        return [(d, d.name not in hidden) for d in (*found, *customs) if d is not None]

    def _built_in(self, name: str, customs: set[str]) -> Detector | None:
        if name in DETECTORS:
            return DETECTORS[name]
        if name in customs:
            return None
        if name in NEED_A_MODEL:
            self.problems.append(f"infoType {name}: needs a model; use engine: cloud")
        else:
            hint = nearest(name, DETECTORS)
            self.problems.append(f"infoType {name}: there is no detector{hint}")
        return None

    def _minimum(self, name: str) -> int:
        for each in self.inspect.min_likelihood_per_info_type:
            if each.info_type.name == name:
                return int(each.min_likelihood)
        return int(self.inspect.min_likelihood) or int(Likelihood.POSSIBLE)

    def _actions(
        self, names: list[str]
    ) -> tuple[dict[str, Transformation], dict[str, Transformation]]:
        """Returns what becomes of each infoType, and of whole cells of each column."""
        config = self.deidentify
        if config.transformation_error_handling.WhichOneof("mode") == "leave_untransformed":
            self.problems.append(
                "transformation_error_handling.leave_untransformed: would let values through; "
                "leave it out, and rows that can't be transformed are dead letters"
            )
        kind = config.WhichOneof("transformation")
        actions = self._by_info_type(config.info_type_transformations, names)
        fields: dict[str, Transformation] = {}
        if kind == "image_transformations":
            self.problems.append("image_transformations: the local engine sees no images")
        if config.record_transformations.record_suppressions:
            self.problems.append("record_suppressions: not in the local engine yet")
        for each in config.record_transformations.field_transformations:
            self._field(each, fields)
        return actions, fields

    def _by_info_type(self, config: Any, names: list[str]) -> dict[str, Transformation]:
        actions: dict[str, Transformation] = {}
        rest: Any = None
        for each in config.transformations:
            if not each.info_types:
                rest = each.primitive_transformation
            for info_type in each.info_types:
                if info_type.name not in names:
                    hint = nearest(info_type.name, names)
                    self.problems.append(
                        f"deidentify_config: {info_type.name} is not in inspect_config{hint}"
                    )
                self._compile(each.primitive_transformation, info_type.name, actions)
        if rest is not None:
            for name in names:
                if name not in actions:
                    self._compile(rest, name, actions)
        return actions

    def _field(self, config: Any, fields: dict[str, Transformation]) -> None:
        """Adds what becomes of whole cells of some columns."""
        if config.HasField("condition"):
            self.problems.append("field_transformations.condition: not in the local engine yet")
        if config.WhichOneof("transformation") != "primitive_transformation":
            self.problems.append(
                "field_transformations.info_type_transformations: not in the local engine yet; "
                "put them at the top, and the columns into columns.free_text"
            )
            return
        for each in config.fields:
            self._compile(config.primitive_transformation, None, fields, each.name)

    def _compile(
        self, primitive: Any, info_type: str | None, into: dict[str, Any], key: str | None = None
    ) -> None:
        name = key or info_type or ""
        try:
            into[name] = compile_transformation(primitive, info_type, self._key)
        except ConfigError as error:
            self.problems.append(f"{name}: {error}")

    def _key(self, key: Any) -> bytes:
        """Returns the bytes of a `CryptoKey`; a transient one lives as long as the policy."""
        from google.protobuf.json_format import MessageToDict

        from privacy.crypto.keys import resolve_key

        name = key.transient.name
        if not name:
            return resolve_key(MessageToDict(key))
        if name.partition(":")[0] in ("env", "file", "secret", "kms", "base64"):
            return resolve_key(name)
        return hmac.digest(self.policy.transient, name.encode(), "sha256")
