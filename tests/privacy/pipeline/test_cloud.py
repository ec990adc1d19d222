"""The cloud engine in pipelines, against the emulator: as the local engine, in full requests."""

from dataclasses import replace

import pyarrow as pa
import pytest

from privacy.inspect import Inspect
from privacy.local.inspect import inspect_batch
from privacy.local.payloads import redact_rejects
from privacy.local.redact import redact_batch
from privacy.pipeline import engines
from privacy.pipeline.bundles import RedactFn
from privacy.pipeline.launch import check_cloud_columns, prepared
from privacy.pipeline.payloads import CloudPayloads
from privacy.policy.read import policy_of
from privacy.redact import Redact
from tests.privacy.cloud.support import emulator
from tests.privacy.policies import FPE, SIX, of_type, policy
from tests.support import run_on
from transforms.batches import with_source
from transforms.errors import ConfigError
from transforms.reasons import Reason
from transforms.rejects import reject_payloads

TEXTS = ["write to ann@example.com", "card 4111 1111 1111 1111", None, "nothing", "10.1.2.3"]
TYPES, NAMES = [pa.int64(), pa.string(), pa.string()], ["id", "text", "note"]


def batch(start, rows=50):
    numbers = range(start, start + rows)
    columns = [pa.array(numbers), pa.array([TEXTS[i % 5] for i in numbers]), pa.array([""] * rows)]
    made = pa.record_batch([x.cast(y) for x, y in zip(columns, TYPES, strict=True)], NAMES)
    return with_source(made, f"file{start}", 0, "row")


BATCHES = [batch(0), batch(50, 7), batch(57, 0), batch(57, 43)]


@pytest.fixture
def server(monkeypatch):
    with emulator() as found:
        monkeypatch.setenv("DLP_EMULATOR_HOST", found.address)
        yield found
    assert not engines._OPEN, "an engine was not given back"


def test_redact_gives_the_same_rows_in_two_requests(server):
    given = policy()
    found = run_on(BATCHES, lambda rows: rows | Redact(replace(given, engine="cloud")))
    expected = [row for each in BATCHES for row in redact_batch(each, given)[0].to_pylist()]
    assert sorted((row for each in found for row in each.to_pylist()), key=_id) == expected
    assert server.trouble.calls <= 2 * len(BATCHES)


def _id(row):
    return row["id"]


def test_batches_of_a_bundle_share_requests(server):
    given = prepared(replace(policy(), engine="cloud"))
    step = RedactFn(given)
    step.setup()
    step.start_bundle()
    for at, each in enumerate(BATCHES):
        assert list(step.process(each, window="w", timestamp=at)) == []
    made = list(step.finish_bundle())
    step.teardown()
    assert [each.timestamp.micros // 1_000_000 for each in made] == [0, 1, 2, 3]
    assert [each.value[0].num_rows for each in made] == [50, 7, 0, 43]
    # One asks for the policy's own faults; the other holds all rows.
    assert server.trouble.calls == 2


def test_inspect_gives_the_same_findings(server):
    given = policy()
    found = run_on(BATCHES, lambda rows: rows | Inspect(replace(given, engine="cloud")))
    expected = [row for each in BATCHES for row in inspect_batch(each, given).to_pylist()]
    rows = [row for each in found for row in each.to_pylist()]
    assert sorted(map(str, rows)) == sorted(map(str, expected))
    assert len(rows) == 60


def test_a_refused_row_shows_all_but_the_value_at_fault(server):
    # A token of a number must have two digits at least: the address is redacted all the same.
    phone = of_type("PHONE_NUMBER", FPE)
    rest = {"primitive_transformation": {"replace_with_info_type_config": {}}}
    given = policy(phone, rest)
    rows = pa.record_batch(
        {"who": ["ann@example.com"] * 3, "tel": ["none", "call (415) 555-0132", "none"]}
    )
    good, expected = redact_batch(rows, given)
    step = RedactFn(prepared(replace(given, engine="cloud")))
    step.setup()
    step.start_bundle()
    list(step.process(rows, window="w", timestamp=0))
    ((made, rejects),) = [each.value for each in step.finish_bundle()]
    step.teardown()
    assert made.to_pylist() == good.to_pylist()
    assert rejects.num_rows == 1
    for name in ("payloadString", "reason", "column", "version", "source"):
        assert rejects.column(name).equals(expected.column(name)), name


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()])
def test_payloads_of_other_steps_are_redacted_alike(server, kind):
    texts = pa.array(["1,ann@example.com", None, "2,nothing"]).cast(kind)
    rejects = reject_payloads(texts, Reason.RAGGED_LINE, "ragged")
    given = policy()
    made = CloudPayloads(prepared(replace(given, engine="cloud")))(rejects)
    assert made.equals(redact_rejects(rejects, given))
    assert b"ann" not in made.to_pandas().to_csv().encode()


def test_what_is_refused_at_launch(monkeypatch):
    for name in ("DLP_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    given = replace(policy(columns={"leave": ["idd"]}), engine="cloud")
    with pytest.raises(ConfigError, match="needs the project that is billed"):
        prepared(given)
    given = replace(given, project="proj")
    with pytest.raises(ConfigError, match="no column 'idd'; did you mean 'id'"):
        check_cloud_columns(prepared(given), BATCHES[0].schema)
    types = {"info_types": [{"name": name} for name in SIX]}
    lax = {"transformation_error_handling": {"leave_untransformed": {}}}
    config = policy_of(
        {"engine": "cloud", "project": "p", "inspect_config": types, "deidentify_config": lax}
    )
    with pytest.raises(ConfigError, match="no deidentify_config"):
        prepared(config)
