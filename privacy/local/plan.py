"""A policy compiled for the local engine: detectors, rules and transformations, ready to run."""

import functools
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from privacy.detectors.codes.code import Code
from privacy.detectors.detector import Detector
from privacy.detectors.own.custom import custom_detector
from privacy.detectors.own.plug_in import from_code, imported, registered
from privacy.detectors.table import DETECTORS, NEED_A_MODEL
from privacy.likelihood import Likelihood
from privacy.local.columns.cells import CellStep
from privacy.local.columns.conditions import Condition, compile_condition
from privacy.local.finding.rules import Rule, compile_rules
from privacy.policy.policy import Columns, Policy
from privacy.transformations.compile import compile_transformation
from privacy.transformations.replace import Replace
from privacy.transformations.transformation import Transformation, context_of
from transforms.errors import ConfigError
from transforms.nearest import nearest

_COMMON = 6


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
class Plan:
    """What the local engine does.

    Attributes:
      kinds: The infoTypes that are looked for.
      rules: Hotword and exclusion rules, in order.
      fields: What becomes of whole cells of a field, by its path.
      parts: By what plan the texts of a field are looked through, and in which rows.
      suppressions: Conditions; a row for which one holds is left out.
      lenient: Whether a value that can't be transformed stays what it is, and its row goes on.
      columns: Which columns are looked through.
      name: The policy's name.
    """

    kinds: tuple[Kind, ...]
    rules: tuple[Rule, ...] = ()
    fields: dict[str, tuple[CellStep, ...]] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    name: str = "policy"
    parts: dict[str, tuple["Plan", Condition | None]] = field(default_factory=dict)
    suppressions: tuple[Condition, ...] = ()
    lenient: bool = False

    @functools.cached_property
    def contextual(self) -> bool:
        """Whether what becomes of a finding depends on another field of its row."""
        return any(kind.transformation and context_of(kind.transformation) for kind in self.kinds)

    @functools.cached_property
    def other_fields(self) -> tuple[str, ...]:
        """The fields that decide about others: contexts, and those in conditions."""
        steps = [step for each in self.fields.values() for step in each]
        kinds = [
            kind for plan in (self, *(x for x, _ in self.parts.values())) for kind in plan.kinds
        ]
        made = [step.transformation for step in steps]
        made += [kind.transformation for kind in kinds if kind.transformation]
        conditions = [step.condition for step in steps] + [x for _, x in self.parts.values()]
        found = [context_of(each) for each in made]
        found += [x for each in (*conditions, *self.suppressions) if each for x in each.fields]
        return tuple(dict.fromkeys(each for each in found if each))

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
        return (
            *self.columns.free_text,
            *self.columns.structured,
            *self.columns.json,
            *self.fields,
            *self.parts,
        )

    @functools.cached_property
    def codes(self) -> tuple[tuple[int, Code], ...]:
        """Returns the detectors of codes, which are looked for together."""
        return tuple(
            (number, kind.detector)
            for number, kind in enumerate(self.kinds)
            if isinstance(kind.detector, Code)
        )

    @property
    def common(self) -> list[tuple[int, Detector]]:
        """The first detectors that have patterns, with the numbers of their kinds."""
        return self._plain[:_COMMON]

    @property
    def others(self) -> list[tuple[int, Detector]]:
        """The other detectors that have patterns which may be joined."""
        return self._plain[_COMMON:]

    @functools.cached_property
    def _plain(self) -> list[tuple[int, Detector]]:
        plain = [
            (number, kind.detector)
            for number, kind in enumerate(self.kinds)
            if kind.detector.pattern and not kind.detector.apart
        ]
        # Neighbours in the table are of one nature: a text holds one of them, or none.
        places = {name: place for place, name in enumerate(DETECTORS)}
        return sorted(plain, key=lambda each: places.get(each[1].name, -1))

    @functools.cached_property
    def prefilter(self) -> str:
        """Returns one RE2 pattern that matches every text with a hit of a common detector."""
        return joined(
            kind.detector
            for kind in self.kinds
            if kind.detector.prefilter and not kind.detector.apart
        )


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
                self.problems.append(
                    f"{key}: it lies in Cloud DLP; export it, and name its FILE.json"
                )
        detectors = self._detectors()
        names = [detector.name for detector, _ in detectors]
        rules = compile_rules(self.inspect.rule_set, names, self.problems)
        self._refuse()

        def made(actions: dict[str, Transformation]) -> Plan:
            kinds = tuple(
                Kind(detector, self._minimum(detector.name), reported, actions.get(detector.name))
                for detector, reported in detectors
            )
            return Plan(
                kinds, rules, {}, self.policy.columns, self.policy.name, lenient=self.policy.lenient
            )

        plan = made(self._by_info_type(self.deidentify.info_type_transformations, names))
        records = self.deidentify.record_transformations
        fields, parts = dict[str, tuple[CellStep, ...]](), dict[str, tuple[Plan, Any]]()
        for each in records.field_transformations:
            self._field(each, names, made, fields, parts)
        suppressions = tuple(
            compile_condition(each.condition, self.problems) for each in records.record_suppressions
        )
        if not detectors and not fields and not suppressions:
            self.problems.append("inspect_config.info_types: name at least one infoType")
        return replace(plan, fields=fields, parts=parts, suppressions=suppressions)

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
        plug_in = self._plug_in(name)
        if plug_in is not None:
            return plug_in
        if name in DETECTORS:
            return DETECTORS[name]
        if name in customs:
            return None
        if name in NEED_A_MODEL:
            self.problems.append(
                f"infoType {name}: needs a model; use engine: cloud, or name a function under "
                "detectors"
            )
        else:
            hint = nearest(name, DETECTORS)
            self.problems.append(f"infoType {name}: there is no detector{hint}")
        return None

    def _plug_in(self, name: str) -> Detector | None:
        """Returns the function that the policy, or this process, has for an infoType."""
        for info_type, reference, code in self.policy.detectors:
            if info_type == name:
                try:
                    return from_code(name, reference, code) if code else imported(name, reference)
                except ConfigError as error:
                    self.problems.append(str(error))
                    return None
        return registered(name)

    def _minimum(self, name: str) -> int:
        for each in self.inspect.min_likelihood_per_info_type:
            if each.info_type.name == name:
                return int(each.min_likelihood)
        return int(self.inspect.min_likelihood) or int(Likelihood.POSSIBLE)

    def _refuse(self) -> None:
        """Notes what no part of the engine can do."""
        config = self.deidentify
        if config.HasField("image_transformations"):
            self.problems.append("image_transformations: the local engine sees no images")

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

    def _field(
        self,
        config: Any,
        names: list[str],
        made: Callable[[dict[str, Transformation]], Plan],
        fields: dict[str, tuple[CellStep, ...]],
        parts: dict[str, tuple[Plan, Any]],
    ) -> None:
        """Adds what becomes of some fields: of their whole cells, or of what is found in them."""
        condition = (
            compile_condition(config.condition, self.problems)
            if config.HasField("condition")
            else None
        )
        if config.WhichOneof("transformation") == "info_type_transformations":
            plan = made(self._by_info_type(config.info_type_transformations, names))
            for each in config.fields:
                if each.name in parts:
                    self.problems.append(f"{each.name}: info_type_transformations come twice")
                parts[each.name] = (plan, condition)
            return
        for each in config.fields:
            found = dict[str, Transformation]()
            self._compile(config.primitive_transformation, None, found, each.name)
            steps = tuple(CellStep(step, condition) for step in found.values())
            fields[each.name] = fields.get(each.name, ()) + steps

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
