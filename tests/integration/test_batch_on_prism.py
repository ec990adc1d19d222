"""Bounded input on Prism: what the in-process runner finds."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_jobs.running.prism import built
from tests.transforms.statistics.test_feature import alike
from transforms.gate.places import ANOMALIES, read_statistics

pytestmark = pytest.mark.integration


@pytest.mark.timeout(300)
def test_a_validation(tmp_path):
    if built() is None:
        pytest.skip("needs Prism (make prism)")
    for part in range(3):
        numbers = range(part * 1000, (part + 1) * 1000)
        rows = {"fare": [n % 97 / 4 for n in numbers], "company": [f"c{n % 7}" for n in numbers]}
        pq.write_table(pa.table(rows), tmp_path / f"{part}.parquet", row_group_size=300)
    (tmp_path / "s.pbtxt").write_text(
        'feature { name: "fare" type: FLOAT float_domain { max: 20 }}'
    )
    rules = ("row: fare < 24", "column: mean(fare) between 1 and 2", "unique: [fare, company]")
    (tmp_path / "r.yaml").write_text("".join(f"- {rule}\n" for rule in rules))
    flags = {"input": "*.parquet", "schema": "s.pbtxt", "rules": "r.yaml"}
    written = []
    for runner in ("PrismRunner", "DirectRunner"):
        given = [f"--{name}={tmp_path / value}" for name, value in flags.items()]
        out = tmp_path / runner
        command = [sys.executable, "-m", "beam_jobs.validate", *given, f"--output={out}/"]
        done = subprocess.run(
            [*command, f"--runner={runner}", "--slices=company"], capture_output=True, text=True
        )
        assert done.returncode == 3, done.stderr
        assert "5 anomalies, 5 of them errors" in done.stderr
        written.append((read_statistics(str(out)).datasets, (out / ANOMALIES).read_bytes()))
    (mine, found), (expected, wanted) = written
    assert found == wanted
    assert [data.name for data in mine] == [data.name for data in expected]
    for data, other in zip(mine, expected, strict=True):
        for feature, same in zip(data.features, other.features, strict=True):
            alike(feature, same)
