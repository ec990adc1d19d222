"""Faults of Cloud DLP over the wire: what the user sees of each, and that nothing is lost.

The job, the official client's channel, and the emulator that makes trouble on request.
"""

import functools
import json

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from beam_jobs import redact
from privacy.cloud import calls, settings
from privacy.cloud.policies import cloud_policy, inspecting_policy
from privacy.pipeline.bundles import InspectFn, RedactFn
from tests.golden.planted import Watch, readable
from tests.privacy.cloud.support import KEY_TEXT, emulator

ROWS = 5_000
BAD = 3_210
QUICK = {"deadline": 2.0, "patience": 4.0}
"""Seconds: so that a test of a hang does not take long."""
CROWD = {"max_findings": 300, "quick": {"deadline": 60.0}}
WRITE = "write to [EMAIL_ADDRESS]"
POLICY = f"""
engine: cloud
project: p
per_minute: 600000
inspect_config: {{info_types: [{{name: EMAIL_ADDRESS}}]}}
deidentify_config:
  record_transformations:
    field_transformations:
      - fields: [{{name: card}}]
        primitive_transformation:
          crypto_replace_ffx_fpe_config:
            crypto_key: "base64:{KEY_TEXT}"
            common_alphabet: NUMERIC
      - fields: [{{name: note}}]
        info_type_transformations:
          transformations: [{{primitive_transformation: {{replace_with_info_type_config: {{}}}}}}]
"""


def rows_with(bad=None, crowded=None):
    """Rows whose cards can be encrypted; one that can't, one with a crowd of addresses."""
    cards = [f"{7919 * n:016d}" for n in range(ROWS)]
    notes = [f"write to user{n}@planted.com" for n in range(ROWS)]
    if bad is not None:
        cards[bad] = "PLANTED-4711"
    if crowded is not None:
        notes[crowded] = " ".join(f"user{n}@planted.com" for n in range(400))
    return pa.table({"id": list(range(ROWS)), "card": cards, "note": notes})


def left(folder):
    """All that a run leaves as texts: outputs, manifests, reports, findings, dead letters."""
    given = ("in.parquet", "p.yaml")
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in given)
    return [readable(path) for path in files]


@pytest.fixture
def job(tmp_path, monkeypatch, capfd, caplog):
    """Runs the job against an emulator that makes trouble; returns all that came of it."""
    watch = Watch(monkeypatch, capfd, caplog)
    (tmp_path / "p.yaml").write_text(POLICY)
    monkeypatch.setattr(calls, "_FIRST", 0.01)
    monkeypatch.setattr(calls, "_LONGEST", 0.2)

    def run(*faults, table=None, code=0, max_findings=3_000, quick=QUICK, **flags):
        for verb, made in ((RedactFn, cloud_policy), (InspectFn, inspecting_policy)):
            monkeypatch.setattr(verb, "settings", staticmethod(functools.partial(made, **quick)))
        pq.write_table(table or rows_with(), tmp_path / "in.parquet")
        named = {"input": tmp_path / "in.parquet", "policy": tmp_path / "p.yaml", **flags}
        argv = [f"--{name}={value}" for name, value in named.items()]
        with emulator(*faults, max_findings=max_findings) as server:
            monkeypatch.setenv(settings.EMULATOR, server.address)
            assert redact.main([*argv, f"--output={tmp_path}/out/"]) == code
        said = watch.said()
        out = tmp_path / "out"
        rows = ds.dataset(out).to_table().to_pylist() if out.exists() else []
        dead = [
            json.loads(line)
            for path in sorted((tmp_path / "out.dead_letters").glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]
        for told in (said, str(rows), str(dead), *left(tmp_path)):
            assert "planted" not in told.lower()
        return rows, dead, said

    return run


def whole(rows, but=()):
    """Whether all rows are there, transformed, but for some."""
    ids = sorted(row["id"] for row in rows)
    assert ids == [n for n in range(ROWS) if n not in but]
    assert {row["note"] for row in rows} == {WRITE}
    assert all(row["card"] != f"{7919 * row['id']:016d}" for row in rows)
    return True


@pytest.mark.parametrize(
    "fault",
    [
        "quota:first=12",
        "quota:every=2",
        "unavailable:every=3",
        "internal:every=3",
        "missing_row:every=3",
        "reordered:every=4",
        "hang:at=2",
    ],
)
def test_what_passes_costs_time_only(job, fault):
    """A 429 storm, a service that goes away in a batch, replies that do not fit, a hang."""
    rows, dead, said = job(fault)
    assert whole(rows)
    assert dead == []
    assert "rows dead" in said
    if fault.startswith("quota"):
        assert "quota" in said


def test_one_bad_value_among_thousands_is_one_dead_letter(job):
    rows, (letter,), said = job(table=rows_with(bad=BAD))
    assert whole(rows, but=(BAD,))
    assert (letter["reason"], letter["step"]) == ("not_redacted", "Redact")
    assert letter["errorMessage"] == (
        "not redacted: Cloud DLP can't transform a value (INVALID_ARGUMENT)"
    )
    assert letter["source"].endswith(f"in.parquet#row={BAD + 1}")
    redacted = {"id": BAD, "card": None, "note": "write to [EMAIL_ADDRESS]"}
    assert json.loads(letter["payloadString"]) == redacted
    assert "not_redacted" in said


def test_a_cell_with_too_many_findings_is_transformed_in_pieces(job):
    """Where findings are many, requests are halved, and in the end the text of a cell."""
    rows, dead, _ = job(table=rows_with(crowded=7), **CROWD)
    assert dead == []
    (crowded,) = [row for row in rows if row["id"] == 7]
    assert crowded.pop("note") == " ".join(["[EMAIL_ADDRESS]"] * 400)
    assert whole([*[row for row in rows if row["id"] != 7], crowded | {"note": WRITE}])


def test_a_cell_that_can_be_cut_nowhere_is_one_dead_letter(job):
    table = rows_with()
    notes = table["note"].to_pylist()
    notes[7] = "planted" * 100_000
    table = table.set_column(2, "note", pa.array(notes))
    rows, (letter,), _ = job(table=table, quick={})
    assert whole(rows, but=(7,))
    assert letter["errorMessage"] == (
        "not redacted: a text is too large, or too many findings, for one request, and is safe to "
        "cut nowhere: what is found would change"
    )
    assert json.loads(letter["payloadString"])["note"] is None
    assert letter["column"] == "note"


def test_the_findings_of_a_crowded_cell_are_complete(job, tmp_path):
    """Each is at its place in the whole text, and so its quote stands there."""
    table = rows_with(crowded=7)
    job(table=table, findings=f"{tmp_path}/found/", **CROWD)
    found = ds.dataset(tmp_path / "found").to_table()
    here = [each for each in found.to_pylist() if each["row"] == 7]
    text = table["note"][7].as_py()
    places = [(each["codepoint_start"], each["codepoint_end"]) for each in here]
    assert [text[a:b] for a, b in places] == [f"user{n}@planted.com" for n in range(400)]
    assert len(found) == ROWS - 1 + 400


def test_truncated_findings_are_asked_for_again(job, tmp_path):
    rows, dead, _ = job(**CROWD, findings=f"{tmp_path}/found/")
    assert whole(rows)
    assert dead == []
    found = ds.dataset(tmp_path / "found").to_table()
    assert sorted(found["row"].to_pylist()) == list(range(ROWS))
    assert set(found["info_type"].to_pylist()) == {"EMAIL_ADDRESS"}


@pytest.mark.parametrize("fault", ["missing_row", "reordered", "missing_cell"])
def test_replies_that_never_fit_let_no_row_through(job, fault):
    """All rows are then rejected, and a run of which every row is rejected is refused."""
    rows, dead, said = job(f"{fault}:after=1", code=3)
    assert rows == []
    assert len(dead) == ROWS
    assert {letter["errorMessage"] for letter in dead} == {
        "not redacted: Cloud DLP gave replies that do not fit"
    }
    assert {letter["payloadString"] for letter in dead} == {
        f'{{"id":{n},"card":null,"note":null}}' for n in range(ROWS)
    }
    assert "every row was rejected" in said


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("denied:after=2", "PERMISSION_DENIED: give the worker's account the role"),
        ("expired:after=2", "UNAUTHENTICATED: the credentials are missing or have expired"),
        ("gone:after=2", "NOT_FOUND: a template, key or location that the policy names"),
        ("denied:first=99", "PERMISSION_DENIED: give the worker's account the role"),
        ("hang:after=1", "Cloud DLP did not answer within 4 s"),
        ("unavailable:after=1", "Cloud DLP did not answer within 4 s"),
    ],
)
def test_what_does_not_pass_stops_the_run_and_nothing_is_published(job, tmp_path, fault, message):
    rows, dead, said = job(fault, code=1)
    assert rows == dead == []
    assert message in said
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".out", "out"))]
