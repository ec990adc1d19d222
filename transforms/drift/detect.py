"""CompareWindows, DetectDrift: counts of windows, or rows, to verdicts."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from transforms.coders import Batches
from transforms.commit.dead_letters import DeadLetters
from transforms.drift.baseline import Baseline
from transforms.drift.counting.journal import Journal
from transforms.drift.counting.layout import WHOLE
from transforms.drift.judging.compare import Comparer
from transforms.drift.judging.policy import Policy
from transforms.drift.profile import Profile, ProfileWindows
from transforms.verb import Verb

STEP = "CompareWindows"
MOST = 10
"""So many columns of a window have metrics of their own: those that moved most."""


class _CompareFn(beam.DoFn):
    """Profiles to verdicts."""

    def __init__(self, baseline: Baseline, policy: Policy) -> None:
        self.baseline, self.policy = baseline, policy

    def setup(self) -> None:
        self._compare = Comparer(self.baseline, self.policy)

    def process(self, profile: Profile) -> Iterator[pa.RecordBatch]:
        verdicts = self._compare(profile.counts, profile.window)
        count_metrics(verdicts)
        yield verdicts


def count_metrics(verdicts: pa.RecordBatch) -> None:
    """Counts a window, its verdicts by status, and the largest indices of its columns.

    Indices are noted in millionths, for Beam's distributions are of integers; those of the ten
    columns that moved most, so that a thousand columns are not a thousand metrics.
    """
    metrics = beam.metrics.Metrics
    metrics.counter(STEP, "windows").inc()
    for each in pc.value_counts(verdicts["status"]).to_pylist():
        metrics.counter(STEP, f"verdicts_{each['values'].lower()}").inc(each["counts"])
    whole = verdicts.filter(pc.equal(verdicts["slice"], WHOLE))
    order = pc.array_sort_indices(whole["adjusted_psi"], "descending")[:MOST]
    for row in whole.select(["column", "adjusted_psi"]).take(order).to_pylist():
        if row["adjusted_psi"] is not None:
            micros = round(max(row["adjusted_psi"], 0) * 10**6)
            metrics.distribution(STEP, "adjusted_psi_micros").update(micros)
            metrics.distribution(STEP, f"adjusted_psi_micros_{row['column']}").update(micros)


@dataclass
class CompareWindows(Verb):
    """Compares the counts of windows with a baseline.

    Args:
      baseline: That in whose cells they were counted.
      policy: When a difference counts.

    Returns: The verdicts of each window as one batch of schema `verdicts.VERDICTS`: a row for each
      column of each slice. Another result of a window has the same ids, and a higher revision.
    """

    baseline: Baseline
    policy: Policy = field(default_factory=Policy)

    def expand(self, profiles: "beam.PCollection[Profile]") -> Batches:
        """Returns the verdicts of each profile."""
        compare = beam.ParDo(_CompareFn(self.baseline, self.policy))
        verdicts: Batches = profiles | "Compare" >> compare.with_output_types(pa.RecordBatch)
        return verdicts


@dataclass
class DetectDrift(Verb):
    """Tells for each window which columns are no longer as in the baseline.

    It is `ProfileWindows`, then `CompareWindows`.

    Args:
      baseline: With what windows are compared.
      size: The length of a window in seconds. None takes the windows in which the batches are; all
        rows are one where they are in none.
      period: Of sliding windows: seconds from one start to the next.
      event_time_column: The column of the rows' times, which is not judged itself.
      allowed_lateness: For how many seconds after its end a window still takes rows.
      policy: When a difference counts.
      dead_letters: Takes rows without a time; without it they are errors.
      ignored: Columns that are not new where they are: ids of messages, say.
      fanout: Among so many keys the counts of a window are spread before they are added up.
      journal: Keeps what was counted until windows take no more rows; see `ProfileWindows`.

    Returns: The verdicts of each window; see `CompareWindows`.
    """

    baseline: Baseline
    size: float | None = None
    period: float | None = None
    event_time_column: str | None = None
    allowed_lateness: float = 0
    policy: Policy = field(default_factory=Policy)
    dead_letters: DeadLetters | None = None
    ignored: tuple[str, ...] = ()
    fanout: int = 1
    journal: Journal | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._profile = ProfileWindows(
            self.baseline,
            self.size,
            self.period,
            self.event_time_column,
            self.allowed_lateness,
            self.dead_letters,
            self.ignored,
            fanout=self.fanout,
            journal=self.journal,
        )

    def expand(self, batches: Batches) -> Batches:
        """Returns the verdicts of each window of the batches."""
        profiles = batches | "ProfileWindows" >> self._profile
        verdicts: Batches = profiles | "CompareWindows" >> CompareWindows(
            self.baseline, self.policy
        )
        return verdicts
