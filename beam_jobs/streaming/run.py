"""A run without end in this process: it goes on until it is asked to drain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from beam_jobs.running import failures, logs
from beam_jobs.running.interrupts import Interrupts
from beam_jobs.running.logs import say
from beam_jobs.streaming.summary import StreamMeter, stream_table
from transforms import progress
from transforms.io.pubsub import drain

if TYPE_CHECKING:
    import apache_beam as beam

    from transforms.commit.stream.commit import StreamCommit


def stream_pipeline(job: str, argv: Sequence[str] = ()) -> "beam.Pipeline":
    """Returns an empty pipeline for input without end, which runs here on Prism.

    Args:
      job: The job's name.
      argv: Options of Beam's.

    Raises:
      ConfigError: An option is wrong, or Prism isn't there.
    """
    from beam_jobs.running import runners

    options = runners.pipeline_options(argv, job)
    runners.configure_streaming(options)
    return runners.pipeline(options)


def run_stream(job: str, root: "beam.Pipeline", commit: "StreamCommit") -> int:
    """Runs a pipeline until a signal asks it to drain, and prints a summary.

    Args:
      job: The job's name.
      root: The pipeline.
      commit: What it writes belongs to.

    Returns: The exit code.
    """
    from beam_jobs.running import runners

    logs.set_up()
    logs.quiet_workers()
    drain.reset()
    commit.prepare()
    say(job, f"reads until Ctrl-C; --run_id={commit.run_id} goes on with it after a kill")
    if commit.told_first:
        say(job, commit.told_first)
    code = 0
    stop = Interrupts(stop=drain.ask, message="draining")
    with stop, StreamMeter() as meter:
        try:
            with runners.prism(root.options):
                root.run().wait_until_finish()
        except (Exception, KeyboardInterrupt) as error:
            progress.stop()
            commit.status = "failed"
            code = failures.report(job, error, [target.root for target in commit.targets])
            say(
                job, f"what it acknowledged is safe; --run_id={commit.run_id} goes on with it", code
            )
    manifests = commit.end()
    table = stream_table(progress.snapshot(), manifests, commit, meter.seconds)
    # What else this process does has nothing to do with this run.
    progress.reset()
    print(f"\n{job}: {'failed' if code else 'drained'}")
    print(table, flush=True)
    return code
