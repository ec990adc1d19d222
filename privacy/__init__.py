"""Finds, redacts, pseudonymises and re-identifies personal data, with Cloud DLP or without."""

from typing import TYPE_CHECKING

from transforms.lazy import front_door

if TYPE_CHECKING:
    from privacy.inspect import Inspect
    from privacy.local.inspect import inspect_batch
    from privacy.local.redact import redact_batch
    from privacy.policy.policy import Policy
    from privacy.policy.read import parse_policy, policy_of, read_policy
    from privacy.redact import Redact

_HOMES = {
    "Inspect": "inspect",
    "Redact": "redact",
    "Policy": "policy.policy",
    "inspect_batch": "local.inspect",
    "parse_policy": "policy.read",
    "policy_of": "policy.read",
    "read_policy": "policy.read",
    "redact_batch": "local.redact",
}

__all__ = [
    "Inspect",
    "Policy",
    "Redact",
    "inspect_batch",
    "parse_policy",
    "policy_of",
    "read_policy",
    "redact_batch",
]

__getattr__ = front_door(__name__, _HOMES)
