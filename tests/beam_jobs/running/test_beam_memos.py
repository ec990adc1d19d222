"""What Beam is spared changes nothing of what it makes."""

import pickle
import subprocess
import sys
import types

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import (
    DebugOptions,
    PipelineOptions,
    StandardOptions,
    TypeOptions,
)
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.stager import SUBMISSION_ENV_DEPENDENCIES_FILE, Stager
from apache_beam.transforms import userstate
from apache_beam.transforms.userstate import BagStateSpec, TimerSpec, on_timer

from beam_jobs.running import beam_memos
from beam_jobs.running.beam_memos import RememberedOptions, specs_of

FLAGS = ["--streaming", "--experiments=a", "--experiments=b", "--unknown=1"]


class Plain(beam.DoFn):
    def process(self, element):
        yield element


SEEN = BagStateSpec("seen", beam.coders.VarIntCoder())
DUE = TimerSpec("due", beam.TimeDomain.WATERMARK)
SEEN_PARAM, DUE_PARAM = beam.DoFn.StateParam(SEEN), beam.DoFn.TimerParam(DUE)


class Holding(beam.DoFn):
    def process(self, element, seen=SEEN_PARAM, due=DUE_PARAM):
        seen.add(element[1])
        due.set(1)

    @on_timer(DUE)
    def over(self, seen=SEEN_PARAM):
        yield sum(seen.read())


class Twice(beam.DoFn):
    def process(self, element, one=beam.DoFn.TimestampParam, two=beam.DoFn.TimestampParam):
        yield element


@pytest.mark.parametrize("make", [Plain, Holding])
def test_states_and_timers_are_as_beam_sees_them(make):
    found = beam_memos._look_up(make())
    for _ in range(2):
        assert specs_of(make()) == found


def test_what_a_caller_does_with_them_stays_there():
    specs_of(Holding())[0].clear()
    assert specs_of(Holding())[0] == {SEEN}


def test_a_dofn_with_methods_of_its_own_is_looked_at_itself():
    dofn = Plain()
    assert specs_of(dofn) == (set(), set())
    dofn.process = types.MethodType(Holding.process, dofn)
    assert specs_of(dofn) == ({SEEN}, {DUE})


def test_a_fault_is_raised_each_time():
    for _ in range(2):
        with pytest.raises(ValueError, match="duplicate"):
            specs_of(Twice())


def test_packages_are_listed_as_pip_lists_them():
    command = [sys.executable, "-m", "pip", "list", "--format=freeze"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    named = {line.lower() for line in told.splitlines()}
    assert named - {line.lower() for line in beam_memos.installed().splitlines()} == set()


def test_the_list_is_staged_under_its_name(tmp_path):
    beam_memos.install()
    (artifact,) = Stager._create_stage_submission_env_dependencies(str(tmp_path))
    ((source, name, _),) = Stager.extract_staging_tuple_iter([artifact])
    assert name == SUBMISSION_ENV_DEPENDENCIES_FILE
    with open(source) as written:
        first, *packages = written.read().splitlines()
    assert first == f"Python Path: {sys.executable}"
    assert f"apache-beam=={beam.__version__}" in packages


@pytest.fixture
def unpatched(monkeypatch):
    monkeypatch.setattr(userstate, "get_dofn_specs", beam_memos._look_up)
    return monkeypatch


def test_a_pipeline_is_the_same(unpatched):
    def steps(options):
        root = beam.Pipeline(options=options)
        made = root | beam.Create([(1, 2)]) | "Hold" >> beam.ParDo(Holding())
        _ = made | "Pass" >> beam.ParDo(Plain()) | beam.Map(str)
        return [step(each) for each in root.to_runner_api().components.transforms.values()]

    def step(proto):
        payload = beam_runner_api_pb2.ParDoPayload()
        if proto.spec.urn == common_urns.primitives.PAR_DO.urn:
            payload.ParseFromString(proto.spec.payload)
            # Functions are pickled under names made anew each time.
            payload.ClearField("do_fn")
        return proto.unique_name, proto.spec.urn, list(proto.outputs), payload

    plain = steps(PipelineOptions(FLAGS))
    assert any(payload.state_specs and payload.timer_family_specs for *_, payload in plain)
    beam_memos.install()
    assert steps(RememberedOptions(FLAGS)) == plain


def test_views_share_their_values():
    options, plain = RememberedOptions(FLAGS), PipelineOptions(FLAGS)
    assert options.get_all_options() == plain.get_all_options()
    options.view_as(StandardOptions).runner = "PrismRunner"
    options.view_as(DebugOptions).experiments.append("c")
    assert options.view_as(StandardOptions).view_as(StandardOptions).runner == "PrismRunner"
    assert options.get_all_options()["experiments"] == ["a", "b", "c"]
    assert options.view_as(TypeOptions) is options.view_as(TypeOptions)


def test_they_are_pickled_with_their_values():
    options = RememberedOptions(FLAGS)
    options.view_as(StandardOptions).runner = "PrismRunner"
    again = pickle.loads(pickle.dumps(options))
    assert again.get_all_options() == options.get_all_options()
    assert again.view_as(StandardOptions).runner == "PrismRunner"
