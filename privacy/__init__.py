"""Finds, redacts, pseudonymises and re-identifies personal data, with Cloud DLP or without."""

from typing import TYPE_CHECKING

from transforms.lazy import front_door

if TYPE_CHECKING:
    from privacy.anonymity.classes import Measure
    from privacy.anonymity.measure import KAnonymity, LDiversity
    from privacy.detectors.own.plug_in import register_detector
    from privacy.erasure.certificate import is_genuine
    from privacy.erasure.erase import Erase, erase_batch
    from privacy.erasure.index import Subjects, subject_hashes
    from privacy.inspect import Inspect
    from privacy.policy.policy import Policy
    from privacy.policy.read import parse_policy, policy_of, read_policy
    from privacy.redact import Redact
    from privacy.reidentify import Reidentify
    from privacy.twins import inspect_batch, redact_batch, reidentify_batch

_HOMES = {
    "Erase": "erasure.erase",
    "erase_batch": "erasure.erase",
    "is_genuine": "erasure.certificate",
    "Subjects": "erasure.index",
    "subject_hashes": "erasure.index",
    "Inspect": "inspect",
    "KAnonymity": "anonymity.measure",
    "LDiversity": "anonymity.measure",
    "Measure": "anonymity.classes",
    "Redact": "redact",
    "Reidentify": "reidentify",
    "Policy": "policy.policy",
    "inspect_batch": "twins",
    "parse_policy": "policy.read",
    "policy_of": "policy.read",
    "read_policy": "policy.read",
    "register_detector": "detectors.own.plug_in",
    "redact_batch": "twins",
    "reidentify_batch": "twins",
}

__all__ = [
    "Erase",
    "Inspect",
    "KAnonymity",
    "LDiversity",
    "Measure",
    "Policy",
    "Redact",
    "Reidentify",
    "Subjects",
    "erase_batch",
    "inspect_batch",
    "is_genuine",
    "parse_policy",
    "policy_of",
    "read_policy",
    "redact_batch",
    "register_detector",
    "reidentify_batch",
    "subject_hashes",
]

__getattr__ = front_door(__name__, _HOMES)
