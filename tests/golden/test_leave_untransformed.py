"""`transformation_error_handling` of DLP: throw_error by default, leave_untransformed if asked."""

import copy
import json

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs import redact
from privacy import Redact
from privacy.cloud import settings
from privacy.local.noted import redact_noted
from privacy.local.notes import CELLS, FAILED, FOUND
from privacy.local.redact import redact_batch
from privacy.local.reidentify import reidentify_batch
from privacy.policy.read import policy_of
from tests.privacy.cloud.support import FPE, KEY_TEXT, emulator, fields
from tests.privacy.policies import of_type
from tests.privacy.server.test_content import ask, table
from tests.privacy.server.test_server import official
from tests.support import run_on
from transforms import progress
from transforms.commit.dead_letters import Unrecorded

LEAVE = {"transformation_error_handling": {"leave_untransformed": {}}}
THROW = {"transformation_error_handling": {"throw_error": {}}}
SHIFT = {"date_shift_config": {"lower_bound_days": 3, "upper_bound_days": 3}}
EMAILS = {"info_types": [{"name": "EMAIL_ADDRESS"}]}
MAILS = {"info_type_transformations": {"transformations": [of_type("EMAIL_ADDRESS", SHIFT)]}}
"""An e-mail address is no date, so that each one is an error."""


def policy(config, handling=LEAVE, inspect=None, **more):
    return policy_of(
        {"inspect_config": inspect, "deidentify_config": {**config, **handling}, **more}
    )


def test_cells_that_cannot_be_transformed_stay_and_are_counted():
    rows = pa.record_batch({"card": ["1234567890", "no digits", None, "7"]})
    (good, rejects), notes = redact_noted(rows, policy(fields(("card", FPE))))
    cards = good["card"].to_pylist()
    assert rejects.num_rows == 0
    assert cards[0] not in ("1234567890", None)
    assert cards[1:] == ["no digits", None, "7"]
    assert notes.counts == {("card", "", "", CELLS): 1, ("card", "", "", FAILED): 2}
    assert (notes.untransformed, notes.failed, notes.rejected) == (2, 2, 0)


@pytest.mark.parametrize("handling", [{}, THROW])
def test_an_error_is_thrown_by_default(handling):
    rows = pa.record_batch({"card": ["1234567890", "no digits"]})
    good, rejects = redact_batch(rows, policy(fields(("card", FPE)), handling))
    assert (good.num_rows, rejects.num_rows) == (1, 1)


def test_findings_that_cannot_be_transformed_stay_in_texts_lists_and_json():
    rows = pa.record_batch(
        {
            "note": ["write to a@x.org", "nothing", "b@x.org, c@x.org"],
            "list": pa.array([["d@x.org", "-"], None, ["e@x.org"]]),
            "payload": ['{"m":"f@x.org"}', None, "[1]"],
        }
    )
    columns = {"json": ["payload"]}
    (good, rejects), notes = redact_noted(rows, policy(MAILS, inspect=EMAILS, columns=columns))
    assert good.equals(rows)
    assert rejects.num_rows == 0
    counts = {(k.column, k.fate): n for k, n in notes.counts.items()}
    assert counts == {("note", FAILED): 3, ("list", FAILED): 2, ("payload.m", FAILED): 1}
    assert notes.untransformed == 2


def test_what_can_be_transformed_beside_it_is():
    both = copy.deepcopy(MAILS)
    both["info_type_transformations"]["transformations"].append(
        of_type("PHONE_NUMBER", {"replace_with_info_type_config": {}})
    )
    inspect = {"info_types": [{"name": "EMAIL_ADDRESS"}, {"name": "PHONE_NUMBER"}]}
    rows = pa.record_batch({"note": ["a@x.org or (415) 555-0132", "(415) 555-0132"]})
    (good, _), notes = redact_noted(rows, policy(both, inspect=inspect))
    assert good["note"].to_pylist() == ["a@x.org or [PHONE_NUMBER]", "[PHONE_NUMBER]"]
    found = {k.info_type: n for k, n in notes.counts.items() if k.fate == FOUND}
    assert found == {"PHONE_NUMBER": 2}
    assert notes.untransformed == 1


def test_a_number_that_is_personal_data_is_a_dead_letter_still():
    """No transformation failed: its column has no room for a text."""
    rows = pa.record_batch({"n": pa.array([4111111111111111, 5])})
    replaced = of_type("CREDIT_CARD_NUMBER", {"replace_with_info_type_config": {}})
    config = {"info_type_transformations": {"transformations": [replaced]}}
    inspect = {"info_types": [{"name": "CREDIT_CARD_NUMBER"}]}
    good, rejects = redact_batch(rows, policy(config, inspect=inspect))
    assert (good.num_rows, rejects.num_rows) == (1, 1)


def test_what_was_left_is_left_on_the_way_back():
    rows = pa.record_batch({"card": ["1234567890", "no digits", None]})
    given = policy(fields(("card", FPE)))
    hidden, _ = redact_batch(rows, given)
    back, rejects = reidentify_batch(hidden, given)
    assert back.equals(rows)
    assert rejects.num_rows == 0


def test_the_server_leaves_values_and_says_how_many():
    asked = {
        "item": table(["card"], [["1234567890"], ["no digits"], ["x"]]),
        "deidentify_config": {**fields(("card", {**FPE})), **LEAVE},
    }
    step = asked["deidentify_config"]["record_transformations"]["field_transformations"][0]
    step["primitive_transformation"] = copy.deepcopy(step["primitive_transformation"])
    config = step["primitive_transformation"]["crypto_replace_ffx_fpe_config"]
    config["crypto_key"] = {"unwrapped": {"key": KEY_TEXT}}
    with emulator() as server, official(server.address) as client:
        reply = ask(client, "deidentify", **asked)
    made = [row.values[0].string_value for row in reply.item.table.rows]
    assert made[0] != "1234567890"
    assert made[1:] == ["no digits", "x"]
    summaries = reply.overview.transformation_summaries
    results = {(r.code.name, r.count) for each in summaries for r in each.results}
    assert results == {("SUCCESS", 1), ("ERROR", 2)}


@pytest.mark.parametrize("engine", ["local", "cloud"])
def test_the_job_publishes_such_rows_and_tells_of_them(tmp_path, monkeypatch, capsys, engine):
    rows = pa.table({"id": [1, 2, 3], "card": ["1234567890", "no digits", "9876543210"]})
    pq.write_table(rows, tmp_path / "in.parquet")
    content = {
        "engine": engine,
        "project": "p",
        "deidentify_config": {**fields(("card", FPE)), **LEAVE},
    }
    (tmp_path / "p.json").write_text(json.dumps(content))
    with emulator() as server:
        monkeypatch.setenv(settings.EMULATOR, server.address)
        argv = ["--input", f"{tmp_path}/in.parquet", "--policy", f"{tmp_path}/p.json"]
        assert redact.main([*argv, "--output", f"{tmp_path}/out/"]) == 0
    made = ds.dataset(tmp_path / "out").to_table().sort_by("id").to_pydict()
    assert made["id"] == [1, 2, 3]
    assert made["card"][1] == "no digits"
    assert made["card"][0] != "1234567890"
    assert "values untransformed 1" in " ".join(capsys.readouterr().err.split())
    manifest = json.loads((tmp_path / "out/_millrace/run.json").read_text())
    assert manifest["counts"]["values_untransformed"] == 1
    report = (tmp_path / "out.redaction/report.html").read_text()
    assert "left: can&#x27;t be transformed" in report or "left: can't be transformed" in report
    assert ("Rows with a value left" in report) == (engine == "local")
    assert "no digits" not in report


def test_a_stream_counts_them_too():
    """A run without end has no ledger: it counts while it goes on."""
    progress.reset()
    rows = pa.record_batch({"card": ["1234567890", "no digits", None, "x"]})
    dead = Unrecorded()
    made = run_on([rows], lambda given: given | Redact(policy(fields(("card", FPE))), dead))
    assert made[0]["card"].to_pylist()[1:] == ["no digits", None, "x"]
    assert progress.snapshot()["untransformed"].rows == 2
    progress.reset()
