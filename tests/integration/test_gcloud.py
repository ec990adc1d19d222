"""Our specs beside those that gcloud makes of the same metadata, where gcloud is installed."""

import json
import os
import shutil
import subprocess

import pytest
import yaml

from beam_jobs.metadata import jobs
from beam_jobs.templates.spec import container_spec

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed"),
]


@pytest.mark.parametrize("job", ["score", "validate", "ingest"])
def test_gcloud_reads_our_metadata_as_we_mean_it(job, tmp_path):
    spec = container_spec(jobs()[job], "registry/image:1")
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(spec["metadata"]))
    command = ["gcloud", "dataflow", "flex-template", "build", "gs://bucket/t.json"]
    flags = ["--image=registry/image:1", "--sdk-language=PYTHON", f"--metadata-file={file}"]
    environment = {**os.environ, "CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    done = subprocess.run(
        [*command, *flags, "--print-only"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(yaml.safe_load(done.stdout))
    assert made["metadata"]["parameters"] == spec["metadata"]["parameters"]
    assert made["image"] == spec["image"]
    # The reason to write specs ourselves: these are lost without a word.
    lost = set(spec["metadata"]) - set(made["metadata"])
    assert (
        {"streaming"}
        <= lost
        <= {"streaming", "defaultStreamingMode"}
        | {name for name in spec["metadata"] if name.startswith("supports")}
    )
