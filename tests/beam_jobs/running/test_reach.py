"""What a launch needs elsewhere: job servers and buckets, looked for before anything starts."""

import contextlib
import json
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from beam_jobs import score
from beam_jobs.running import runners
from tests.beam_jobs.flags import DATAFLOW, options_of
from transforms.errors import ConfigError
from transforms.files.filesystem import exists, list_files

FLINK = ("--runner=FlinkRunner", "--environment_type=LOOPBACK")


@contextlib.contextmanager
def storage(status):
    """A Cloud Storage that answers everything so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"error": {"code": status, "message": "no"}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def signed_in(monkeypatch):
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "proj-12345")
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "p"))


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (403, "this account may not look there: it needs roles/storage.objectViewer"),
        (404, "there is no such bucket"),
    ],
)
def test_a_bucket_that_is_closed_or_missing(status, told, signed_in, monkeypatch):
    with storage(status) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        for look in (list_files, exists):
            with pytest.raises(ConfigError, match=f"gs://theirs/day/?: {told}"):
                look("gs://theirs/day/")
        with pytest.raises(ConfigError, match=f"--temp_location: gs://bucket/tmp: {told}"):
            runners.check_reach(options_of(*DATAFLOW))
        # A template's launcher has its bucket from Dataflow.
        runners.check_reach(options_of(*DATAFLOW, "--template_location=gs://bucket/job_object"))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_a_job_server_that_does_not_answer():
    endpoint = f"localhost:{free_port()}"
    for runner in (*FLINK[:1], "--runner=PortableRunner"):
        with pytest.raises(ConfigError, match=f"no job server answers at {endpoint}.*make flink"):
            runners.check_reach(options_of(runner, f"--job_endpoint={endpoint}"))


def test_a_job_server_that_answers():
    with socket.create_server(("localhost", 0)) as server:
        endpoint = f"localhost:{server.getsockname()[1]}"
        runners.check_reach(options_of(*FLINK, f"--job_endpoint={endpoint}"))


@pytest.mark.parametrize("endpoint", ["localhost", "localhost:many", ":8099"])
def test_what_is_no_address(endpoint):
    with pytest.raises(ConfigError, match=r"--job_endpoint: .* is not of the form HOST:PORT"):
        runners.check_reach(options_of(*FLINK, f"--job_endpoint={endpoint}"))


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--runner=SparkRunner"], "--job_endpoint is needed by SparkRunner"),
        (["--runner=portable"], "--job_endpoint is needed by portable"),
        (["--runner=PrismRunner", "--prism_location=/no/prism"], "--prism_location: there is no"),
        (["--runner=DataflwRunner"], "did you mean DataflowRunner"),
    ],
)
def test_runners_that_lack_something(argv, told):
    with pytest.raises(ConfigError, match=told):
        options_of(*argv)


@pytest.mark.parametrize(
    ("java", "told"), [("/usr/bin/java", "Maven Central has none of Beam"), (None, "is no Java")]
)
def test_flink_without_a_job_server(java, told, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: java)
    with pytest.raises(ConfigError, match=f"--job_endpoint is needed.*{told}"):
        options_of("--runner=FlinkRunner", "--flink_master=localhost:8081")


@pytest.mark.parametrize("runner", ["DIRECTRUNNER", "direct", "FnApiRunner", "fnapirunner"])
def test_a_runners_name_may_be_spelt_as_one_likes(runner):
    assert runners.in_process(options_of(f"--runner={runner}"))
    assert runners.runner_name(options_of("--runner=DATAFLOW", *DATAFLOW[1:])) == "dataflowrunner"


def test_a_stream_of_files_is_refused(tmp_path, capsys):
    (tmp_path / "in.csv").write_text("x\n1\n")
    flags = [f"--input={tmp_path}/in.csv", "--model=m", f"--output={tmp_path}/out/", "--streaming"]
    assert score.main(flags) == 2
    assert (
        "--streaming: the input alone decides, and this one has an end" in capsys.readouterr().err
    )
