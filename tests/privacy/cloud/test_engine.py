"""The cloud engine against the emulator: what it makes of rows, and what faults do to it."""

import io
import logging

import pyarrow as pa
import pytest

from privacy.cloud.calls import CloudStopped
from privacy.cloud.limits import Limits
from privacy.cloud.redact import redact_batches
from privacy.server.echo import EchoEngine
from privacy.server.faults import parse_fault
from tests.privacy.cloud.support import (
    ENCRYPT,
    FPE,
    batch,
    cloud,
    conserved,
    emulator,
    encrypted,
    fields,
)
from transforms.errors import ConfigError

SMALL = Limits(bytes=4_000)
"""So that a few hundred rows make many requests."""


def one(engine, given, method="DeidentifyContent"):
    (result,) = redact_batches(engine, [given], method)
    return result


def test_equals_what_is_encrypted_here():
    given = batch(1_000)
    with emulator() as server, cloud(server, limits=SMALL) as engine:
        result = one(engine, given)
        assert result.rows.equals(encrypted(given))
        assert result.rejects.num_rows == 0
        assert server.trouble.calls > 5


def test_only_touched_columns_are_sent():
    with emulator() as server, cloud(server) as engine:
        assert engine.policy.columns == ("card",)
        one(engine, batch(1_000))
        assert server.trouble.bytes < 1_000 * (16 + 16)


def test_and_back():
    given = batch(300)
    with emulator() as server, cloud(server, limits=SMALL) as engine:
        hidden = one(engine, given).rows
        assert one(engine, hidden, "ReidentifyContent").rows.equals(given)


@pytest.mark.parametrize("sizes", [[0], [1], [0, 5, 0], [7, 100, 1, 300], [1] * 20])
def test_batches_share_requests_and_keep_their_rows(sizes):
    given, start = [], 0
    for size in sizes:
        given.append(batch(size, start))
        start += size
    with emulator() as server, cloud(server, limits=SMALL) as engine:
        results = redact_batches(engine, given)
        assert [result.rows for result in results] == [encrypted(each) for each in given]


def test_slices():
    given = batch(100).slice(13, 50)
    with emulator() as server, cloud(server, limits=SMALL) as engine:
        assert one(engine, given).rows.equals(encrypted(given))


def test_no_batches():
    with emulator() as server, cloud(server) as engine:
        assert redact_batches(engine, []) == []


@pytest.mark.parametrize(
    "fault",
    [
        "quota:first=30",
        "quota:every=2",
        "unavailable:every=3",
        "unavailable:first=6",
        "internal:every=4",
        "missing_row:every=3",
        "reordered:every=3",
        "missing_cell:every=4",
        "hang:at=3",
    ],
)
def test_faults_that_pass_change_nothing(fault):
    given = batch(500)
    with emulator(fault) as server, cloud(server, limits=SMALL, deadline=2.0) as engine:
        result = one(engine, given)
        assert result.rows.equals(encrypted(given))
        counts = engine.caller.counts
        assert counts.retries > 0
        assert (counts.quota > 0) == fault.startswith("quota")


@pytest.mark.parametrize("fault", ["missing_row", "reordered", "missing_cell"])
def test_replies_that_do_not_fit_fail_closed(fault):
    """No row of such a reply goes on, for nobody can say which it is."""
    given = batch(200)
    with emulator(f"{fault}:after=1") as server, cloud(server) as engine:
        result = one(engine, given)
        assert result.rows.num_rows == 0
        assert conserved(given, result)
        (message,) = set(result.rejects.column("errorMessage").to_pylist())
        assert message == "not redacted: Cloud DLP gave replies that do not fit"


def test_a_bad_value_among_many_is_found_alone():
    given = batch(5_000)
    cards = given.column("card").to_pylist()
    cards[3_210] = "CANARY-4711"
    given = given.set_column(1, "card", pa.array(cards, pa.string()))
    with emulator() as server, cloud(server) as engine:
        result = one(engine, given)
    assert result.rows.num_rows == 4_999
    assert 3_210 not in result.rows.column("id").to_pylist()
    assert conserved(given, result)
    (reject,) = result.rejects.to_pylist()
    assert "CANARY" not in str(reject)
    assert '"id":3210' in reject["payloadString"].replace(" ", "")
    assert "can't transform a value (INVALID_ARGUMENT)" in reject["errorMessage"]


def test_a_policy_that_fits_no_row_stops_the_run():
    given = batch(400).set_column(1, "card", pa.array([f"CANARY{i}" for i in range(400)]))
    with emulator() as server, cloud(server) as engine:
        with pytest.raises(CloudStopped, match=r"each of 20 rows alone.*alphabets") as raised:
            one(engine, given)
        assert "CANARY" not in str(raised.value)
        assert server.trouble.calls < 150


def test_a_bad_policy_stops_at_the_probe():
    config = fields(
        (
            "card",
            {
                "crypto_replace_ffx_fpe_config": FPE["crypto_replace_ffx_fpe_config"]
                | {"crypto_key": "base64:c2hvcnQ="}
            },
        )
    )
    short = pytest.raises(ConfigError, match="has 5 bytes")
    with emulator() as server, cloud(server, config) as engine, short:
        one(engine, batch(10))
    wrong = fields(("card", {"crypto_hash_config": {}}))
    with emulator() as server, cloud(server, wrong) as engine:
        with pytest.raises(CloudStopped, match="INVALID_ARGUMENT to the policy itself"):
            one(engine, batch(10))
        assert server.trouble.calls == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("denied:after=3", "PERMISSION_DENIED.*roles/dlp.user"),
        ("expired:after=3", "UNAUTHENTICATED.*credentials"),
        ("gone:after=3", "NOT_FOUND.*template"),
    ],
)
def test_a_lost_permission_stops_the_run(fault, message):
    stopped = pytest.raises(CloudStopped, match=message)
    with emulator(fault) as server, cloud(server, limits=SMALL) as engine, stopped:
        one(engine, batch(500))


def test_patience_ends():
    stopped = pytest.raises(CloudStopped, match=r"did not answer within 0 s.*nothing is published")
    down = "unavailable:after=1"
    with emulator(down) as server, cloud(server, patience=0.2) as engine, stopped:
        one(engine, batch(10))


def test_a_request_that_is_too_large_is_halved():
    """Where limits are set too high, the service's own answer splits."""
    given = batch(30_000)
    with emulator() as server, cloud(server, limits=Limits(bytes=5_000_000)) as engine:
        assert one(engine, given).rows.equals(encrypted(given))
        assert engine.caller.counts.splits > 0


def test_too_many_findings_are_halved_and_then_planned_for():
    notes = pa.array([f"user{n}@example.com" for n in range(2_000)])
    given = batch(2_000).set_column(2, "note", notes)
    replace = {"primitive_transformation": {"replace_with_info_type_config": {}}}
    config = {"info_type_transformations": {"transformations": [replace]}}
    emails = {"info_types": [{"name": "EMAIL_ADDRESS"}]}
    alone = {"in_flight": 1, "inspect": emails, "limits": Limits(findings=400)}
    with emulator(max_findings=500) as server, cloud(server, config, **alone) as engine:
        result = one(engine, given)
        assert set(result.rows.column("note").to_pylist()) == {"[EMAIL_ADDRESS]"}
        assert conserved(given, result)
        splits = engine.caller.counts.splits
        assert splits > 0
        one(engine, given)
        assert engine.caller.counts.splits == splits


def test_one_cell_that_is_too_large_is_rejected_alone():
    given = batch(50)
    notes = ["x" * 600_000 if i == 20 else f"note {i}" for i in range(50)]
    given = given.set_column(2, "note", pa.array(notes))
    config = fields(("note", {"redact_config": {}}))
    with emulator() as server, cloud(server, config) as engine:
        result = one(engine, given)
    assert conserved(given, result)
    (reject,) = result.rejects.to_pylist()
    assert "too large, or too many findings" in reject["errorMessage"]
    assert len(str(reject)) < 1_000
    assert set(result.rows.column("note").to_pylist()) == {""}


def test_the_echo_keeps_every_type():
    given = batch(100)
    config = fields(("id", {"date_shift_config": {}}), ("note", {"redact_config": {}}))
    with emulator(engine=EchoEngine()) as server, cloud(server, config, limits=SMALL) as engine:
        assert one(engine, given).rows.equals(given)


def test_no_value_reaches_logs_or_errors():
    """The service's own words quote values; they are read and kept nowhere."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        given = batch(60).set_column(
            1, "card", pa.array(["CANARY" if i == 9 else f"{i:016d}" for i in range(60)])
        )
        with emulator("unavailable:every=3") as server, cloud(server) as engine:
            result = one(engine, given)
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    assert result.rejects.num_rows == 1
    assert "CANARY" not in stream.getvalue()
    assert "0000000000000011" not in stream.getvalue()


def test_a_column_of_the_policy_must_be_there():
    with emulator() as server:
        missing = pytest.raises(ConfigError, match="the data has no column 'nope'")
        with missing, cloud(server, fields(("nope", FPE))):
            pass
        with cloud(server) as engine, pytest.raises(ConfigError, match="not in the data"):
            redact_batches(engine, [batch(3).select(["id"])])


def test_faults_are_named():
    assert parse_fault("quota:every=3").meets(6)
    for wrong in ("quota", "quota:every=0", "storm:every=2", "quota:never=1"):
        with pytest.raises(ConfigError, match="KIND:RULE=N"):
            parse_fault(wrong)


def test_the_key_is_never_shown():
    with emulator() as server, cloud(server, ENCRYPT) as engine:
        assert "AAECAwQ" not in repr(engine.policy)
