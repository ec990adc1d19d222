"""Launch checks of topics and subscriptions, and the subscription of a run that reads a topic."""

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from grpc import StatusCode

from beam_jobs import launch
from beam_jobs.ingest import Options, main
from beam_jobs.running import runners
from beam_jobs.running.setting import Setting
from beam_jobs.streaming import channels
from beam_jobs.streaming.own_subscription import ended, own_subscription, run_subscribed
from tests.transforms.io.pubsub.server import SUBSCRIPTION, TOPIC, Server
from transforms.errors import ConfigError, MillraceError
from transforms.io.pubsub.clients import Subscriber
from transforms.io.pubsub.source import PubSubSource

pytestmark = pytest.mark.usefixtures("fresh_counts")

FROM, INTO = f"pubsub://{SUBSCRIPTION}?format=text", f"pubsub://{TOPIC}"
OWN = "projects/local/subscriptions/millrace-r1"


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.address)
    yield server
    server.close()


@pytest.fixture
def quick(monkeypatch):
    """No pull of these tests is in flight at the end."""
    monkeypatch.setattr("beam_jobs.streaming.own_subscription._SETTLE_SECONDS", 1.0)


def options(**given):
    return Options(**{"input": FROM, "output": "out/", **given})


def own(run_id="r1"):
    return own_subscription("ingest", options(input=f"{INTO}?format=text", run_id=run_id))


def test_what_is_there_passes(server):
    channels.check(options(output=INTO))
    channels.check(options(input=INTO))
    assert server.calls == ["GetSubscription", "GetTopic", "GetTopic"]
    channels.check(options(input="in/"))
    assert len(server.calls) == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"input": f"{INTO}s"},
         f"--input: pubsub://{TOPIC}s does not exist; `.*gcloud pubsub topics create {TOPIC}s`"),
        ({"input": f"pubsub://{SUBSCRIPTION}s?format=text"},
         f"--input: .*gcloud pubsub subscriptions create {SUBSCRIPTION}s --topic=TOPIC`"),
        ({"output": f"{INTO}s?ordered=true"},
         f"--output: .*gcloud pubsub topics create {TOPIC}s`"),
        ({"input": "in/", "output": f"{INTO}s"}, f"--output: pubsub://{TOPIC}s does not exist"),
        ({"output": f"pubsub://{SUBSCRIPTION}"}, "published to a topic, not to a subscription"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named_by_option(server, given, told):
    with pytest.raises(ConfigError, match=told):
        channels.check(options(**given))


def test_a_service_that_does_not_answer(server):
    server.fail(StatusCode.UNAVAILABLE, "GetSubscription")
    with pytest.raises(MillraceError, match=f"--input: .*Pub/Sub at {server.address}") as found:
        channels.check(options())
    assert not isinstance(found.value, ConfigError)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([f"--input=pubsub://{SUBSCRIPTION}s"], "ingest: error: --input: pubsub://"),
        ([f"--input={FROM}", f"--output={INTO}s"], "ingest: error: --output: pubsub://"),
    ],
)
def test_the_launcher_looks_before_it_builds(server, tmp_path, capfd, monkeypatch, given, told):
    monkeypatch.setattr(runners, "find", lambda location: "prism")
    monkeypatch.setattr(launch, "construct", lambda *_: pytest.fail("it was built"))
    assert main([f"--output={tmp_path}/out/", *given]) == 2
    assert told in capfd.readouterr().err


def test_a_service_that_is_away_at_launch_is_exit_code_1(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(runners, "find", lambda location: "prism")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    assert main([f"--output={tmp_path}/out/", f"--input={FROM}"]) == 1
    assert "Pub/Sub at 127.0.0.1:9 (PUBSUB_EMULATOR_HOST) does not" in capfd.readouterr().err


def test_it_is_named_after_the_run():
    assert own().name == OWN
    assert (own().topic, own().run_id, own().kept) == (TOPIC, "r1", True)
    made = own(None)
    assert made.run_id.startswith("ingest-2")
    assert (made.name, made.kept) == (f"{OWN[:-2]}{made.run_id}", False)


@pytest.mark.parametrize("given", [FROM, "in/", "gs://b/in/"])
def test_other_inputs_need_none(given):
    assert own_subscription("ingest", options(input=given)) is None


@pytest.mark.parametrize("run_id", ["0", "7_a.b-C", "x" * 100])
def test_every_run_id_makes_a_name_that_pubsub_takes(run_id):
    source = own(run_id).resolving(lambda given: PubSubSource.resolve(given.input))(
        options(input=f"{INTO}?format=text&attributes=a,b", run_id=run_id)
    )
    assert source.address.name == f"projects/local/subscriptions/millrace-{run_id}"
    assert source.payload.attributes == ("a", "b")
    assert not source.address.is_topic


def test_the_manifest_names_the_topic():
    given = options(input=f"{INTO}?format=text", run_id="r1")
    setting = Setting.of(given, PipelineOptions([]))
    assert setting == Setting("local", unbounded=True)
    assert (
        launch.new_run("ingest", given, setting).commit.manifest["options"]["input"] == given.input
    )


@pytest.mark.usefixtures("quick")
def test_a_run_without_a_name_leaves_nothing_behind(server, capfd):
    def run():
        assert list(server.subscriptions) == [SUBSCRIPTION, mine.name]
        return 0

    mine = own(None)
    assert run_subscribed("ingest", mine, run) == 0
    assert list(server.subscriptions) == [SUBSCRIPTION]
    assert capfd.readouterr().err.splitlines() == [
        f"ingest: reads subscription {mine.name}, made on {TOPIC}: what is published from now on",
        f"ingest: subscription {mine.name} is deleted: nothing waited in it",
    ]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("run_id", "code", "waiting", "why"),
    [
        (None, 0, [b"a"], "messages wait in it"),
        (None, 1, [], "the run failed"),
        ("r1", 0, [], "--run_id was given"),
        ("r1", 1, [], "the run failed"),
    ],
)
def test_what_could_be_missed_stays(server, capfd, run_id, code, waiting, why):
    mine = own(run_id)
    assert run_subscribed("ingest", mine, lambda: server.put(*waiting) or code) == code
    assert mine.name in server.subscriptions
    told = capfd.readouterr().err
    assert f"ingest: subscription {mine.name} stays: {why}\n" in told
    assert f"--run_id={mine.run_id}\n" in told
    assert f"gcloud pubsub subscriptions delete {mine.name}\n" in told
    assert run_subscribed("ingest", mine, lambda: 0) == 0
    assert f"{mine.name}, of {TOPIC}: with what waits in it" in capfd.readouterr().err


def test_one_that_can_not_be_looked_at_stays(server):
    Subscriber(OWN).subscribe(TOPIC)
    server.fail(StatusCode.PERMISSION_DENIED, "DeleteSubscription")
    told = ended(_Empty(OWN), own(None), 0)
    assert "stays: it could not be deleted (PermissionDenied)" in told


class _Empty(Subscriber):
    def is_empty(self, seconds):
        return True


def test_one_of_a_run_that_does_not_begin_is_taken_back(server):
    def refuse():
        raise ConfigError("the output is there")

    for there in (False, True):
        if there:
            Subscriber(OWN).subscribe(TOPIC)
        with pytest.raises(ConfigError, match="the output is there"):
            run_subscribed("ingest", own(), refuse)
        assert (OWN in server.subscriptions) is there


def test_one_of_another_topic_is_refused(server):
    Subscriber(OWN).subscribe(TOPIC)
    server.subscriptions[OWN].topic = "projects/local/topics/other"
    with pytest.raises(ConfigError, match=f"--input: pubsub://{OWN} .*pass another --run_id"):
        run_subscribed("ingest", own(), lambda: pytest.fail("it ran"))
