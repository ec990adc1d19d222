"""--profile=local: which endpoints it takes; all others are refused before anything runs."""

import os
import socket
from dataclasses import replace

import pytest

from beam_jobs.ingest import Options, main
from beam_jobs.running import local_profile
from beam_jobs.running.local_profile import EMULATORS, applied, endpoint, found, used
from tests.beam_jobs.flags import DATAFLOW
from transforms.errors import ConfigError

PUBSUB, STORAGE = EMULATORS["pubsub"], EMULATORS["gs"]
SUBSCRIPTION = "pubsub://projects/local/subscriptions/sub"


def options(**given):
    return Options(**{"input": "in/", "output": "out/", "profile": "local", **given})


@pytest.fixture(autouse=True)
def no_emulators(monkeypatch):
    for emulator in EMULATORS.values():
        monkeypatch.delenv(emulator.variable, raising=False)


@pytest.fixture
def port():
    """A port at which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("emulator", "given", "expected"),
    [
        (PUBSUB, "127.0.0.1:8085", ("", ("127.0.0.1",), 8085)),
        (PUBSUB, "http://127.9.9.9:1/", ("", ("127.9.9.9",), 1)),
        (PUBSUB, "[::1]:8432", ("", ("::1",), 8432)),
        (PUBSUB, "Localhost:80", ("", ("127.0.0.1", "::1"), 80)),
        (STORAGE, "http://localhost:9023", ("http://", ("127.0.0.1", "::1"), 9023)),
        (STORAGE, "https://[::1]:4443/", ("https://", ("::1",), 4443)),
        (STORAGE, "127.0.0.1:9023", ("http://", ("127.0.0.1",), 9023)),
    ],
)
def test_loopback_addresses(emulator, given, expected):
    assert endpoint(emulator, given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "pubsub.googleapis.com:443",
        "10.0.0.1:8085",
        "0.0.0.0:8085",
        "[fe80::1]:8085",
        "[::ffff:10.0.0.1]:8085",
        "localhost.example.com:8085",
        "127.0.0.1.example.com:8085",
        "http://127.0.0.1:8085@example.com:8085",
        "http://example.com:80#@127.0.0.1:8085",
        "http://127.0.0.1:8085\\@example.com:80",
        "http://127.0.0.1:80/http://example.com",
        "unix:/tmp/socket",
        "dns://8.8.8.8/127.0.0.1:8085",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:8085\n",
        "127.0.0.1:\N{FULLWIDTH DIGIT EIGHT}0",
        " ",
    ],
)
def test_any_other_endpoint_is_refused(given):
    for emulator in (PUBSUB, STORAGE):
        with pytest.raises(ConfigError) as refused:
            endpoint(emulator, given)
        told = str(refused.value)
        assert f"--profile=local: {emulator.variable}: {given!r} is no loopback address" in told
        assert f"`{emulator.start}`" in told


def test_an_emulator_is_named_by_its_ip(port):
    assert found(PUBSUB, {PUBSUB.variable: f"localhost:{port}"}) == f"127.0.0.1:{port}"
    assert found(STORAGE, {STORAGE.variable: f"localhost:{port}"}) == f"http://127.0.0.1:{port}"


def test_one_that_listens_on_ipv6_only():
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no ::1")
    with listening:
        port = listening.getsockname()[1]
        assert found(PUBSUB, {PUBSUB.variable: f"localhost:{port}"}) == f"[::1]:{port}"


def test_the_usual_port_is_tried_where_nothing_is_set(port):
    assert found(replace(PUBSUB, port=port), {}) == f"127.0.0.1:{port}"
    with pytest.raises(ConfigError, match="_HOST: it is not set, nor is port 9 in use"):
        found(replace(PUBSUB, port=9), {})
    with pytest.raises(ConfigError, match="PUBSUB_EMULATOR_HOST: nothing listens at 127"):
        found(PUBSUB, {PUBSUB.variable: "127.0.0.1:9"})


@pytest.mark.parametrize(
    ("given", "argv", "services"),
    [
        ({}, [], []),
        ({"input": "file:///in/", "output": "stdout:"}, [], []),
        ({"input": SUBSCRIPTION}, [], [PUBSUB]),
        ({"output": "gs://b/o/", "input": "GS://b/i"}, [], [STORAGE]),
        ({"schema": "gs://b/s.pbtxt"}, [], [STORAGE]),
        ({"dead_letters": "gs://b/d/", "output": "pubsub://projects/p/topics/t"}, [],
         [PUBSUB, STORAGE]),
        ({}, ["--temp_location=gs://b/tmp"], [STORAGE]),
        ({}, ["--temp_location", "gs://b/tmp"], [STORAGE]),
    ],
)  # fmt: skip
def test_services_are_those_of_the_uris(given, argv, services):
    found = used(options(**given), argv)
    assert sorted(e.service for e in found) == sorted(e.service for e in services)


@pytest.mark.parametrize("place", ["input", "output", "schema"])
def test_services_without_an_emulator_are_refused(place):
    with pytest.raises(ConfigError, match=f"--{place}: --profile=local has no emulator of s3://"):
        used(options(**{place: "s3://bucket/x"}), [])
    with pytest.raises(ConfigError, match=r"--sdk_location: .* no emulator of https://"):
        used(options(), ["--sdk_location=https://example.com/sdk"])


def test_what_is_set_holds_for_the_run_only(monkeypatch, port):
    from apache_beam.internal.gcp import auth

    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"http://localhost:{port}/")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://example.com:80")
    monkeypatch.setenv("no_proxy", "internal")
    monkeypatch.setattr(auth._Credentials, "_credentials_init", False)
    before = dict(os.environ)
    with applied(options(input=SUBSCRIPTION), []):
        assert os.environ["PUBSUB_EMULATOR_HOST"] == f"127.0.0.1:{port}"
        assert os.environ["no_proxy"] == "internal,127.0.0.1,::1,[::1],localhost"
        assert auth.get_service_credentials(None) is None
    assert dict(os.environ) == before
    assert auth._Credentials._credentials_init is False


def test_without_a_profile_nothing_is_set():
    before = dict(os.environ)
    with applied(options(profile=None, input="gs://b/x"), DATAFLOW):
        assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--input=gs://b/x"], "STORAGE_EMULATOR_HOST: 'example.com:80' is no loopback"),
        ([f"--input={SUBSCRIPTION}"], "PUBSUB_EMULATOR_HOST: nothing listens at 127.0.0.1:9."),
        (["--input=in/", *DATAFLOW], "--profile=local: dataflowrunner runs elsewhere"),
        (["--input=in/", "--runner=DataflowRunner"], "--profile=local: dataflowrunner runs else"),
        (["--input=in/", "--runner=FlinkRunner"], "--profile=local: flinkrunner runs elsewhere"),
        (["--input=in/", "--template_location=/t"], "leave out --template_location"),
        (["--input=in/", "--direct_running_mode=multi_processing"], "--direct_running_mode"),
        (["--input=in/", "--options_file=gs://b/o.json"], "--options_file: gs://b/o.json would be"),
        (["--input=in/", "--profile=lcoal"], "--profile is one of local, not 'lcoal'"),
    ],
)
def test_a_refusal_is_exit_code_2(monkeypatch, capfd, argv, told):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "example.com:80")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    assert main(["--output=out/", "--profile=local", *argv]) == 2
    assert told in capfd.readouterr().err


def test_a_host_that_is_not_set_is_refused(monkeypatch, capfd):
    monkeypatch.setitem(EMULATORS, "pubsub", replace(PUBSUB, port=9))
    assert main(["--output=out/", "--profile=local", f"--input={SUBSCRIPTION}"]) == 2
    told = capfd.readouterr().err
    assert "--profile=local: PUBSUB_EMULATOR_HOST: it is not set, nor is port 9 in use" in told
    assert "`gcloud beta emulators pubsub start" in told


def test_a_policy_for_the_cloud_is_carried_out_by_the_emulator(monkeypatch, port, tmp_path):
    from beam_jobs.redact import Options

    given = {"input": "in/", "output": "out/", "profile": "local"}
    for engine, expected in (("local", None), ("cloud", f"127.0.0.1:{port}")):
        policy = tmp_path / f"{engine}.yaml"
        policy.write_text(f"engine: {engine}")
        monkeypatch.delenv("DLP_EMULATOR_HOST", raising=False)
        monkeypatch.setattr(local_profile, "DLP", replace(local_profile.DLP, port=port))
        with applied(Options(policy=str(policy), **given), []):
            assert os.environ.get("DLP_EMULATOR_HOST") == expected
        assert "DLP_EMULATOR_HOST" not in os.environ
