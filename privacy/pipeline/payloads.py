"""Rejected rows of other steps, whose payloads Cloud DLP redacts before they are stored."""

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from privacy.cloud.engine import whole
from privacy.cloud.policies import bare_policy
from privacy.cloud.settings import CloudPolicy
from privacy.likelihood import Likelihood
from privacy.local.payloads import redact_payloads
from privacy.pipeline.engines import borrowed
from privacy.policy.policy import Policy

_COLUMN = "payload"


@dataclass(frozen=True)
class CloudPayloads:
    """Takes what a policy finds out of the payloads and attributes of rejects.

    As with the local engine, everything counts that is likely at all, and its infoType's name
    stands in its place. Where the policy is about whole cells payloads are withheld, as are those
    that Cloud DLP does not transform.

    Args:
      policy: Prepared; see `launch.prepared`.
    """

    policy: Policy

    def __call__(self, rejects: pa.RecordBatch) -> pa.RecordBatch:
        """Returns as many rejects."""
        whole = self.policy.deidentify_config.HasField("record_transformations")
        return redact_payloads(rejects, None if whole else self._redacted)

    def _redacted(self, texts: pa.Array) -> pa.Array:
        with borrowed(strict(self.policy)) as engine:
            result = engine.transform([texts])
        return pc.if_else(pa.array(~result.lost), whole(result.columns[0]), None)


def strict(policy: Policy) -> CloudPolicy:
    """Returns the settings for payloads: all that is found becomes its name, without rules."""
    inspect, deidentify = type(policy.inspect_config)(), type(policy.deidentify_config)()
    inspect.CopyFrom(policy.inspect_config)
    inspect.ClearField("rule_set")
    inspect.ClearField("min_likelihood_per_info_type")
    inspect.min_likelihood = int(Likelihood.VERY_UNLIKELY)
    made = deidentify.info_type_transformations.transformations.add()
    made.primitive_transformation.replace_with_info_type_config.SetInParent()
    given = policy.deidentify_config.info_type_transformations.transformations
    if all(each.info_types for each in given):
        made.info_types.extend(_named(given))
    return replace(
        bare_policy(policy, policy.project or ""),
        columns=(_COLUMN,),
        inspect_bytes=inspect.SerializeToString(deterministic=True),
        deidentify_bytes=deidentify.SerializeToString(deterministic=True),
    )


def _named(transformations: Any) -> list[Any]:
    return list({kind.name: kind for each in transformations for kind in each.info_types}.values())
