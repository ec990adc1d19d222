"""Launches a job: locally, on a service, or from a Flex Template's launcher.

A job gives its options and two functions. `resolve` reads what has to be known beforehand
(schemas, signatures), once and here; `build` is pure and makes the pipeline of it.
"""

import atexit
import contextlib
import copy
import dataclasses
import functools
import gc
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from beam_jobs.options.command_line import job_of, parse
from beam_jobs.options.declare import JobOptions, declared
from beam_jobs.running import dry_run, failures, gpus, local_profile, logs
from beam_jobs.running.local import committed_before, run_here
from beam_jobs.running.logs import say
from beam_jobs.running.run import Run
from beam_jobs.running.setting import Setting
from beam_jobs.running.summary import Meter
from beam_jobs.streaming import channels
from beam_jobs.streaming.own_subscription import own_subscription, run_subscribed
from beam_jobs.streaming.run import run_stream
from beam_jobs.streaming.streams import check_native, check_relevant, lateness
from transforms.errors import ConfigError, MillraceError
from transforms.families import BIGQUERY, FILES, STDOUT, family_of

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from beam_jobs.options.streaming import StreamOptions
    from beam_jobs.running.runners import Place
    from transforms.commit.commit import Commit
    from transforms.commit.stream.commit import StreamCommit

T = TypeVar("T", bound=JobOptions)
Resolved = TypeVar("Resolved")


def run(
    kind: type[T],
    resolve: Callable[[T], Resolved],
    build: Callable[["beam.Pipeline", Resolved, T, Run], None],
    argv: Sequence[str] | None = None,
    verdict: Callable[[T], int] | None = None,
    estimate: Callable[[T], str] | None = None,
) -> int:
    """Runs a job from its command line to its exit code.

    Args:
      kind: The job's options.
      resolve: Reads what the pipeline's construction depends on.
      build: Makes the pipeline.
      argv: The command line; by default this process's.
      verdict: Looks at what a job has written that has come to its end, and gives the exit code.
      estimate: Tells what a run would take; a dry run shows it.

    Returns: 0 done, 1 failed, 2 wrong usage, 3 a gate said no; 130 or 143 after a signal.
    """
    job = job_of(kind)
    logs.open_streams()
    try:
        options, beam_argv = parse(kind, argv)
        options = with_growth(options)
        logs.quiet_libraries()
        logs.set_up()
        with _profile(options, beam_argv):
            return _launch(job, options, beam_argv, resolve, build, verdict, estimate)
    except KeyboardInterrupt:
        return say(job, "interrupted", 130)
    except Exception as error:
        return failures.report(job, error)


@contextlib.contextmanager
def _profile(options: JobOptions, beam_argv: Sequence[str]) -> Iterator[None]:
    """Applies the options' profile while the job runs."""
    with contextlib.ExitStack() as profile:
        with _no_collection():
            profile.enter_context(local_profile.applied(options, beam_argv))
        yield


def _launch(
    job: str,
    options: T,
    beam_argv: Sequence[str],
    resolve: Callable[[T], Resolved],
    build: Callable[["beam.Pipeline", Resolved, T, Run], None],
    verdict: Callable[[T], int] | None,
    estimate: Callable[[T], str] | None,
) -> int:
    with _no_collection(), contextlib.ExitStack() as setting_up:
        from beam_jobs.running import flink, runners
        from transforms import progress

        check_relevant(options)
        beam_options = runners.pipeline_options(beam_argv, job)
        setting = Setting.of(options, beam_options)
        if setting.unbounded:
            runners.configure_streaming(beam_options)
        else:
            runners.check_bounded(beam_options)
        _set_up_logs(setting.place)
        _check_reach(options, setting)
        options = by_state(options, setting)
        gpus.set_up(options, beam_options, setting)
        if options.dry_run:
            dry_run.set_up(beam_options)
        else:
            runners.check_reach(beam_options)
        progress.reset()
        replaced = _replaced(beam_options, setting, options)
        own = None
        if setting.is_local and not options.dry_run:
            # Not before the logs are set up: they may put another stream in stderr's place.
            setting_up.enter_context(Meter())
            channels.check(options)
            own = own_subscription(job, options)
        if own is not None:
            # The source reads the subscription; the manifest names the topic, as it was given.
            options = dataclasses.replace(options, run_id=own.run_id)
            resolve = own.resolving(resolve)
        root, this = construct(job, options, beam_options, setting, resolve, build)
    if options.dry_run:
        this.commit.close()
        reads = this.commit.manifest.get("tables_read", ())
        print(dry_run.describe(root, options, beam_options, reads), end="")
        print(estimate(options) if estimate else "", end="")
        return say(job, "a dry run: nothing was started", 0)
    if setting.is_local and setting.unbounded:
        reads = functools.partial(run_stream, job, root, cast("StreamCommit", this.commit))
        return reads() if own is None else run_subscribed(job, own, reads)
    if setting.is_local:
        cancel = functools.partial(flink.cancel, beam_options) if setting.retries else None
        code = run_here(job, root, this.whole, runners.in_process(beam_options), cancel)
        return code or (verdict(options) if verdict else 0)
    if this.commit.prepare() is not None:
        return say(job, committed_before(this.commit), 0)
    this.commit.close()
    if replaced is not None:
        from beam_jobs.updates.check import check_update

        graph = _as_submitted(job, options, beam_options, setting, resolve, build)
        # The pipeline has a copy of the options.
        check_update(job, replaced, graph, root.options)
    code = _submit(job, root, beam_options, options.wait)
    # Of a run that goes on by itself nothing is known yet; what lies there is of an earlier one.
    return code or (verdict(options) if verdict and options.wait else 0)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Does without garbage collection while Beam and TensorFlow are imported.

    They make a million objects that stay. To look through them again and again costs a second of
    five at the start, 0.3 s each time while the job runs, and as much at the end, unless they are
    set aside before.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.enable()
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)


def _as_submitted(
    job: str,
    options: T,
    beam_options: "PipelineOptions",
    setting: Setting,
    resolve: Callable[[T], Resolved],
    build: Callable[["beam.Pipeline", Resolved, T, Run], None],
) -> Any:
    """Returns the graph as the service gets it: the runner replaces steps of the pipeline."""
    tried = copy.deepcopy(beam_options)
    dry_run.set_up(tried)
    root, this = construct(job, options, tried, setting, resolve, build)
    this.commit.close()
    return dry_run.graph(root, tried)


def _replaced(beam_options: "PipelineOptions", setting: Setting, options: JobOptions) -> Any:
    """Returns the running job that this one replaces; None if it replaces none."""
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    wanted = beam_options.view_as(GoogleCloudOptions).update
    if not wanted or setting.place != "service" or options.dry_run:
        # Of a template, Dataflow looks for the job itself.
        return None
    from beam_jobs.updates.check import job_to_update

    return job_to_update(beam_options, setting.unbounded)


def _set_up_logs(place: "Place") -> None:
    """Sets up logs: what matters, of local runs; all for Cloud Logging, of launchers."""
    if place == "local":
        logs.quiet_workers()
        logs.filter_native()
    elif place == "template":
        logs.set_up_template()


def construct(
    job: str,
    options: T,
    beam_options: "PipelineOptions",
    setting: Setting,
    resolve: Callable[[T], Resolved],
    build: Callable[["beam.Pipeline", Resolved, T, Run], None],
) -> tuple["beam.Pipeline", Run]:
    """Makes the pipeline of a run, all but its last step; nothing is written yet."""
    from beam_jobs.running import runners
    from transforms.progress import phase

    if setting.native:
        check_native(cast("StreamOptions", options))
    with phase("looking at the inputs"):
        resolved = resolve(options)
    this = new_run(job, options, setting)
    runners.name_job(beam_options, this.run_id)
    root = runners.pipeline(beam_options)
    with phase("making the pipeline"):
        build(root, resolved, options, this)
    return root, this


def new_run(job: str, options: JobOptions, setting: Setting) -> Run:
    """Returns the run that these options describe, before any step belongs to it."""
    from transforms.commit.dead_letters import DeadLetters

    make = _stream_commit if setting.unbounded else _commit
    commit = make(job, options, setting)
    place = options.dead_letters or _beside_output(options, commit.run_id, options.letters_beside)
    letters = place and DeadLetters(place, commit, options.dead_letter_payload)
    findings = _beside_output(options, commit.run_id, "validation")
    evidence = functools.partial(_beside_output, options, commit.run_id)
    return Run(commit.run_id, letters or None, commit, setting, findings, evidence)


def _commit(job: str, options: JobOptions, setting: Setting) -> "Commit":
    from transforms.commit.commit import Commit
    from transforms.commit.ledger import Gate

    return Commit(
        job,
        options.run_id,
        overwrite=options.overwrite,
        gate=Gate(
            options.max_rejected_fraction,
            options.allow_unreadable_files,
            getattr(options, "gate", False),
        ),
        manifest={"options": recorded(options)},
        reads=_reads(options),
        retried=setting.retries,
    )


def _stream_commit(job: str, options: Any, setting: Setting) -> "StreamCommit":
    from transforms.commit.stream.commit import StreamCommit

    commit = StreamCommit(
        job,
        options.run_id,
        window=options.window,
        **lateness(options, setting.native),
        manifest={"options": recorded(options)},
        reads=_reads(options),
    )
    if family_of(options.output).holds(options.output):
        # Known to the source, which does not read again what is in there.
        commit.target(options.output)
    return commit


def _reads(options: JobOptions) -> list[str]:
    """Returns the files and folders that the job reads."""
    kinds = [option for option in declared(type(options)) if option.kind.startswith("GCS_READ")]
    values = [getattr(options, option.name) for option in kinds]
    found = [value for value in values if value and family_of(value) is FILES]
    if not options.in_place:
        return found
    from transforms.files.uris import parse as parse_uri

    # What is read to its end may then give place to what was made of it.
    output = parse_uri(getattr(options, "output", "")).root
    return [value for value in found if parse_uri(value).root != output]


def with_growth(options: T) -> T:
    """Returns the options with --allow_schema_growth in the URI of the table that it is about.

    Raises:
      ConfigError: The output is no table.
    """
    output = getattr(options, "output", "")
    if not getattr(options, "allow_schema_growth", False):
        return options
    if family_of(output) is not BIGQUERY:
        raise ConfigError("--allow_schema_growth is for tables: leave it out")
    uri = f"{output}{'&' if '?' in output else '?'}growth=true"
    return dataclasses.replace(options, output=uri)  # type: ignore[call-arg]


def by_state(options: T, setting: Setting) -> T:
    """Returns the options with how rows of messages come into tables once where they run.

    Raises:
      ConfigError: The runner does not keep the state that this needs.
    """
    names = [name for name in ("output", "dead_letters") if getattr(options, name, None)]
    tables = {name: getattr(options, name) for name in names if setting.unbounded}
    changed: dict[str, Any] = {
        name: _by_state(f"--{name}", uri, setting.is_local)
        for name, uri in tables.items()
        if family_of(uri) is BIGQUERY
    }
    return dataclasses.replace(options, **changed)


def _by_state(flag: str, uri: str, local: bool) -> str:
    from transforms.io.bigquery.sink import BY_STATE, ONCE, BigQuerySink

    delivery = BigQuerySink.parse(uri).delivery
    if local and delivery == BY_STATE:
        raise ConfigError(
            f"{flag}: delivery={BY_STATE} needs a runner that keeps its state, Dataflow: here rows "
            f"are there once by delivery={ONCE}"
        )
    if local or delivery != ONCE:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}delivery={BY_STATE}"


def _beside_output(options: JobOptions, run_id: str, kind: str) -> str | None:
    """Returns where evidence goes by default: beside the output, or in a temporary folder.

    None where the job has no output.
    """
    from transforms.files.uris import parse as parse_uri

    output = getattr(options, "output", None)
    if output is None:
        return None
    family = family_of(output)
    if family is FILES:
        return f"{parse_uri(output).root}.{kind}/"
    return f"{tempfile.gettempdir() if family is STDOUT else '.'}/{run_id}.{kind}/"


def recorded(options: JobOptions) -> dict[str, Any]:
    """Returns the options that differ from their defaults, as the manifest keeps them."""
    fields = dataclasses.fields(options)
    values = {field.name: getattr(options, field.name) for field in fields}
    return {f.name: values[f.name] for f in fields if values[f.name] != f.default}


def _check_reach(options: JobOptions, setting: Setting) -> None:
    """Workers elsewhere can't reach this machine's files, nor this terminal."""
    if setting.is_local:
        return
    from transforms.files.filesystem import is_local

    for option in declared(type(options)):
        value = getattr(options, option.name)
        # Small files that only the launcher reads (a schema, say) may lie here.
        used = option.name == "input" or option.kind.startswith(("GCS_WRITE", "GCS_READ_FOLDER"))
        if used and value and not family_of(value).portable and is_local(value):
            raise ConfigError(
                f"{option.flag}: {value} is on this machine, out of reach of Dataflow's workers: "
                "name a place such as gs://bucket/folder, or leave out --runner"
            )
    output = getattr(options, "output", None)
    if output and family_of(output) is BIGQUERY:
        _check_table("--output", output, setting.unbounded)
    if options.dead_letters and family_of(options.dead_letters) is BIGQUERY:
        _check_table("--dead_letters", options.dead_letters, unbounded=False)
    if output and family_of(output) not in (FILES, STDOUT) and options.dead_letters is None:
        raise ConfigError(
            "--dead_letters is needed: beside a topic or table there is no place for them that "
            "Dataflow's workers reach. Name one such as gs://bucket/folder/"
        )


def _check_table(option: str, output: str, unbounded: bool) -> None:
    """Workers elsewhere stage where BigQuery reads; they append without staging."""
    from transforms.io.bigquery.sink import BigQuerySink

    if unbounded:
        return
    if not BigQuerySink.parse(output).staging:
        raise ConfigError(
            f"{option}: {output} needs a place where rows wait for the load, which Dataflow's "
            "workers and BigQuery reach: add ?staging=gs://bucket/folder"
        )


def _submit(job: str, root: "beam.Pipeline", options: "PipelineOptions", wait: bool) -> int:
    """Hands a pipeline to a service; a template's launcher must do nothing more."""
    from beam_jobs.running import runners

    result = root.run()
    if runners.place_of(options) is runners.Place.TEMPLATE or not result.has_job:
        return 0
    job_id = result.job_id()
    link = runners.console_link(options, job_id)
    say(job, f"submitted as job {job_id}\n  {link}", 0)
    if not wait:
        return 0
    try:
        state = _end_of(result)
    except KeyboardInterrupt:
        return say(job, f"no longer waiting; the job goes on: {link}", 130)
    if state != "DONE":
        told = _errors_of(job_id, options) if state == "FAILED" else ""
        raise MillraceError(f"job {job_id} ended as {state}: see {link}{told}")
    return say(job, "done", 0)


def _errors_of(job_id: str, options: "PipelineOptions") -> str:
    """Returns what the service says went wrong with a job, a line for each error."""
    from beam_jobs.updates.service import Jobs

    return "".join(f"\n  {line}" for line in Jobs(options).errors(job_id))


def _end_of(result: Any) -> str:
    """Waits for a job's end; returns its last state, where Beam raises for some."""
    from apache_beam.runners.dataflow.dataflow_runner import DataflowRuntimeException

    try:
        return str(result.wait_until_finish())
    except DataflowRuntimeException:
        return str(result.state)
