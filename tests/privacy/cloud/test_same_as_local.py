"""One policy, two engines: the same rows, rejects and findings."""

import pyarrow as pa
import pytest

from privacy.cloud.engine import CloudEngine
from privacy.cloud.inspect import inspect_columns
from privacy.cloud.limits import Limits
from privacy.cloud.policies import cloud_policy
from privacy.cloud.redact import redact_batches
from privacy.local.inspect import inspect_batch
from privacy.local.redact import redact_batch
from privacy.policy.read import policy_of
from tests.privacy.cloud.support import FPE, emulator

NAMES = ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD_NUMBER", "US_SOCIAL_SECURITY_NUMBER"]
NAMES += ["IP_ADDRESS", "IBAN_CODE"]
TEXTS = [
    "write to ann.lee@example.com or call +1 650-253-0000",
    "card 4111 1111 1111 1111, SSN 536-90-4399",
    "nothing here",
    None,
    "",
    "ünïcode before 10.1.2.3 and after",
    "DE89 3704 0044 0532 0130 00 is an IBAN",
]


def types(*names):
    return [{"name": name} for name in names]


def primitive(transformation, *names):
    return {"info_types": types(*names), "primitive_transformation": transformation}


def by_info_type(*transformations):
    return {"info_type_transformations": {"transformations": list(transformations)}}


POLICIES = {
    "names": by_info_type(primitive({"replace_with_info_type_config": {}})),
    "mixed": by_info_type(
        primitive({"character_mask_config": {"number_to_mask": 4}}, "EMAIL_ADDRESS"),
        primitive({"redact_config": {}}, "PHONE_NUMBER", "IP_ADDRESS"),
        primitive({"replace_config": {"new_value": {"string_value": "(card)"}}}, NAMES[2]),
    ),
    "fields": {
        "record_transformations": {
            "field_transformations": [
                {"fields": types("card"), "primitive_transformation": FPE},
                {"fields": types("id"), "primitive_transformation": {"character_mask_config": {}}},
            ]
        }
    },
}


def rows(count=200):
    return pa.record_batch(
        {
            "id": pa.array(range(count), pa.int64()),
            "text": pa.array([TEXTS[i % 7] for i in range(count)]),
            "card": pa.array([f"{i * 7919:016d}" for i in range(count)]),
            "email": pa.array([f"user{i}@example.org" if i % 3 else None for i in range(count)]),
            "ratio": pa.array([i / 7 for i in range(count)]),
            "flag": pa.array([i % 2 == 0 for i in range(count)]),
        }
    )


def policies(name):
    columns = {"leave": [] if name == "fields" else ["card"]}
    content = {
        "inspect_config": {} if name == "fields" else {"info_types": types(*NAMES)},
        "deidentify_config": POLICIES[name],
        "columns": columns,
    }
    return policy_of(content), policy_of(content | {"engine": "cloud"})


def engine_for(server, policy, given, **options):
    options = {"per_minute": 600_000, "limits": Limits(bytes=3_000), **options}
    made = cloud_policy(
        policy, "p", given.schema, endpoint=server.address, insecure=True, **options
    )
    return CloudEngine(made)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_redacted_alike(name):
    given = rows()
    local, remote = policies(name)
    expected, rejects = redact_batch(given, local)
    with emulator() as server:
        engine = engine_for(server, remote, given)
        (result,) = redact_batches(engine, [given])
        engine.close()
        assert server.trouble.calls > 3
    assert result.rows.to_pylist() == expected.to_pylist()
    assert result.rows.schema.types == expected.schema.types
    assert result.rejects.num_rows == rejects.num_rows == 0
    assert not result.rows.column("text").equals(given.column("text")) or name == "fields"


def test_a_number_that_is_personal_data_is_a_reject_alike():
    given = rows(30)
    numbers = [4111111111111111 if i == 7 else i for i in range(30)]
    given = given.set_column(0, "number", pa.array(numbers, pa.int64()))
    local, remote = policies("names")
    expected, rejects = redact_batch(given, local)
    with emulator() as server:
        engine = engine_for(server, remote, given)
        (result,) = redact_batches(engine, [given])
        engine.close()
    assert result.rows.to_pylist() == expected.to_pylist()
    assert result.rejects.column("reason").equals(rejects.column("reason"))
    assert rejects.num_rows == 1
    assert "4111" not in str(result.rejects.to_pylist())


@pytest.mark.parametrize("most", [3_000, 5])
def test_inspected_alike(most):
    """Also where most replies are truncated."""
    given = rows(60)
    local, remote = policies("names")
    names = ["text", "email"]
    expected = inspect_batch(given.select([*names, "card"]), local)
    with emulator(max_findings=most) as server:
        engine = engine_for(server, remote, given)
        found, incomplete = inspect_columns(engine, names, [given.column(x) for x in names])
        assert (engine.caller.counts.splits > 0) == (most == 5)
        engine.close()
    assert not incomplete.any()
    keys = found.schema.names[:-1]
    assert _sorted(found.select(keys)) == _sorted(expected.select(keys))
    assert found.column("quote").null_count == found.num_rows > 60


def _sorted(findings):
    return sorted(tuple(row.values()) for row in findings.to_pylist())


def test_a_cell_with_too_many_findings_is_noted():
    texts = pa.array(["a@example.com", " ".join(f"u{i}@example.com" for i in range(9)), "none"])
    _, remote = policies("names")
    with emulator(max_findings=5) as server:
        engine = engine_for(server, remote, pa.record_batch({"text": texts}))
        found, incomplete = inspect_columns(engine, ["text"], [texts])
        engine.close()
    assert incomplete.tolist() == [False, True, False]
    assert found.column("row").to_pylist() == [0]
