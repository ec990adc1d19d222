"""The table of what came of a run."""

from transforms.commit.summary import run_table


def output(uri, is_dead, *sizes):
    files = [{"bytes": size} for size in sizes]
    return {"uri": uri, "dead_letters": is_dead, "evidence": is_dead, "files": files}


def manifest(status="committed", **changes):
    counts = {
        "rows_in": 2000,
        "rows_out": 1990,
        "rows_dead": 10,
        "dead_by_reason": {"missing_value": 4, "overflow": 6},
    }
    outputs = [
        output("out.dead_letters", True, 1000),
        output("out", False, 1_500_000, 500_000),
    ]
    return {"status": status, "run_id": "r1", "counts": counts, "outputs": outputs, **changes}


def test_the_table_of_a_run():
    assert run_table(manifest(), "out/_millrace/run.json", 4.0).splitlines() == [
        "  rows in          2,000",
        "  rows out         1,990",
        "  rows dead        10",
        "    missing_value  4",
        "    overflow       6",
        "  elapsed          4.0 s",
        "  rows/s           500",
        "  dead letters     out.dead_letters (1 file, 1.0 kB)",
        "  output           out (2 files, 2.0 MB)",
        "  manifest         out/_millrace/run.json",
        "  run id           r1",
    ]


def test_without_a_time_none_is_told():
    lines = run_table(manifest(), "x").splitlines()
    assert lines[4:6] == [
        "    overflow       6",
        "  dead letters     out.dead_letters (1 file, 1.0 kB)",
    ]


def test_the_table_of_a_refused_run_says_that_nothing_is_there():
    told = run_table(manifest("refused"), "x", 0.0)
    assert "output           out (not published)" in told
    assert "out.dead_letters (1 file" in told
    assert "rows/s           0" in told


def test_what_a_gate_found_is_counted():
    found = manifest(outputs=[{**output("out.validation", True, 1000), "dead_letters": False}])
    severities = ("WARNING", "ERROR", "WARNING")
    found["counts"]["findings"] = [{"severity": severity} for severity in severities]
    lines = run_table(found, "x", 1.0).splitlines()
    at = lines.index("  findings         out.validation (1 file, 1.0 kB)")
    assert lines[at + 1 : at + 3] == ["    errors         1", "    warnings       2"]


def test_no_dead_letters_are_said_to_be_none():
    outputs = [output("out.dead_letters", True)]
    assert "out.dead_letters (none)" in run_table(manifest(outputs=outputs), "x", 1.0)
