"""The options by which windows are judged: of the drift job, and of jobs that watch as they go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from beam_jobs.options.declare import JobOptions, Seconds, option
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from transforms.drift.judging.methods import Rules
    from transforms.drift.judging.policy import Policy

GROUP = "Drift"


@dataclass(frozen=True, kw_only=True)
class TimeUnitOptions(JobOptions):
    """What times are that are numbers."""

    event_time_unit: str | None = option(
        "Files: what the event times count since 1970, where they are numbers.",
        default=None,
        choices=("s", "ms", "us", "ns"),
        group=GROUP,
    )


@dataclass(frozen=True, kw_only=True)
class PolicyOptions(JobOptions):
    """When a difference counts, and where incidents are reported."""

    suspect: float = option(
        "From which adjusted PSI on a difference that is more than chance is suspect.",
        default=0.02,
        minimum=0.000001,
        group=GROUP,
        metavar="PSI",
    )
    drift: float = option(
        "From which adjusted PSI on it is drift.",
        default=0.1,
        minimum=0.000001,
        group=GROUP,
        metavar="PSI",
    )
    least_rows: int = option(
        "A window with fewer rows is not judged.",
        default=200,
        minimum=1,
        group=GROUP,
        metavar="N",
    )
    methods: tuple[str, ...] = option(
        "Decide by these, and by no other test: psi, js, jsd, linf, ks, chi2, hellinger and "
        "wasserstein, with the value beyond which a column has drifted, as in psi=0.2,ks=0.1. They "
        "know nothing of chance, and how many rows there are.",
        default=(),
        group=GROUP,
        metavar="NAME=VALUE",
    )
    alerts: str | None = option(
        "Where incidents are reported as they open, go on and end: a topic, "
        "pubsub://projects/P/topics/T?format=json, a folder such as alerts/?format=jsonl, or a "
        "file, but not of messages. A column that differs in 2 of the last 3 windows is an "
        "incident, and 3 without a difference end it.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        group=GROUP,
        metavar="URI",
        messages=True,
    )

    @property
    def drift_policy(self) -> "Policy":
        """When a difference counts.

        Raises:
          ConfigError: A method is unknown, or has no number.
        """
        from transforms.drift.judging.methods import rules_of
        from transforms.drift.judging.policy import Policy

        try:
            methods = rules_of(self.methods)
        except ValueError:
            raise ConfigError("--methods: write names and numbers, as in psi=0.2,ks=0.1") from None
        return Policy(
            methods=methods,
            columns=self._comparators(),
            suspect=self.suspect,
            uncalibrated=max(self.suspect, Policy.uncalibrated),
            drift=max(self.suspect, self.drift),
            least_rows=self.least_rows,
        )

    def _comparators(self) -> "tuple[tuple[str, Rules], ...]":
        """Returns what the schema's comparators allow."""
        from transforms.drift.judging.comparators import comparators_of
        from transforms.schema import read_metadata

        schema = getattr(self, "schema", None)
        if schema is None or not schema.partition("?")[0].endswith(".pbtxt"):
            return ()
        return comparators_of(read_metadata(schema))


@dataclass(frozen=True, kw_only=True)
class LabelOptions(JobOptions):
    """Labels that come later than the predictions."""

    label_input: str | None = option(
        "Labels of the rows' predictions, joined by --label_key: files where --input is files, "
        "pubsub://projects/P/subscriptions/S where it is messages. The baseline knows the columns "
        "of prediction and label.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
        messages=True,
    )
    label_key: tuple[str, ...] = option(
        "The columns that rows and labels share, and that say which label belongs to which row.",
        default=(),
        metavar="COLUMNS",
        group=GROUP,
    )
    label_schema: str | None = option(
        "A schema.pbtxt or BigQuery .json schema of the labels.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    label_wait: Seconds = option(
        "Messages: for how long after its end a window waits for labels.",
        default=0.0,
        minimum=0.0,
        group=GROUP,
    )
    quality_output: str | None = option(
        "Messages: a folder or topic for the quality of each window.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
        messages=True,
    )


@dataclass(frozen=True, kw_only=True)
class WatchOptions(PolicyOptions, TimeUnitOptions):
    """Drift as a branch of another job."""

    baseline: str | None = option(
        "Compare windows of the scored rows with this baseline, which the baseline job made of "
        "such: features and predictions. It costs little. Files: all rows are one window unless "
        "there is --event_time_column.",
        kind="GCS_READ_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    drift_output: str | None = option(
        "A folder for the verdicts, and of files for incidents and report.html. Of messages a "
        "topic too: pubsub://projects/P/topics/T?format=json.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
        messages=True,
    )
    drift_window: Seconds | None = option(
        "The length of the windows that are compared; by default that of the baseline's.",
        default=None,
        minimum=0.001,
        group=GROUP,
    )

    @property
    def also_of_files(self) -> tuple[str, ...]:
        """The times of files are heeded where windows of them are compared."""
        return ("event_time_column",) if self.baseline else ()
