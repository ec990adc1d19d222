"""A preprocessing function of declared steps, with constants or tf.Transform's analyzers."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from transforms.errors import ConfigError
from transforms.preprocess.declared.parse import Steps
from transforms.preprocess.declared.plan import Plan
from transforms.preprocess.declared.tensors import Tensors
from transforms.preprocess.steps.step import WrongStep


@dataclass(frozen=True)
class StepsFunction:
    """What tf.Transform calls a `preprocessing_fn`: from tensors by column to tensors by feature.

    Args:
      plan: The steps.
      known: The constants of their figures; None lets tf.Transform analyze them.
      folder: Where vocabularies are written.
    """

    plan: Plan
    known: Mapping[str, Any] | None = None
    folder: str = field(default_factory=tempfile.mkdtemp)

    @classmethod
    def of(cls, steps: Steps, schema: Any) -> "StepsFunction":
        """Returns declared steps as a `preprocessing_fn`, for pipelines of tf.Transform itself.

        Its analyzers find what ours do; steps that tf.Transform has none for are refused when it
        is traced.

        Args:
          steps: Any.
          schema: The tensorflow-metadata `Schema` of the raw columns.

        Raises:
          ConfigError: The steps don't fit the schema.
        """
        return cls(Plan.of(steps, schema))

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the outputs."""
        return self.with_domains(inputs)[0]

    def with_domains(
        self, inputs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
        """Returns the outputs, and the least and greatest of those that are known categories."""
        ops = Tensors(self.folder)
        single, plan = self.plan.single, self.plan
        columns = {name: ops.given(inputs[name], name in single) for name in plan.steps.columns}
        asked = {(each.feature, each.step): each.key for each in plan.asked}
        made: dict[str, Any] = {}
        for feature in plan.steps.features:
            ops.feature = feature.name
            source = made if feature.of_features else columns
            given = [source[name] for name in feature.inputs]
            value: Any = given[0] if len(given) == 1 else tuple(given)
            for place, step in enumerate(feature.steps):
                known = self._known(asked.get((feature.name, place)), step, value, ops)
                value = step.apply(value, known, ops)
            made[feature.name] = value
        outputs: dict[str, Any] = {}
        for feature in plan.steps.features:
            if feature.output:
                outputs |= ops.outputs(feature.name, made[feature.name])
        return outputs, ops.domains

    def _known(self, key: str | None, step: Any, value: Any, ops: Tensors) -> Any:
        if key is None:
            return None
        if self.known is not None:
            return self.known[key]
        try:
            return step.measure(value, ops)
        except WrongStep as error:
            raise ConfigError(f"{error}: use Analyze(steps=...)") from None
