"""The run's ledger: what each step read, staged and rejected, and what must hold of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from transforms.errors import ConfigError, MillraceError
from transforms.files.compression import ENDINGS
from transforms.files.filesystem import change_of
from transforms.files.format import File
from transforms.reasons import FILE_REASONS, Reason

MANIFEST = "_millrace/run.json"
STAGING = ".millrace-"
"""Between an output's hidden name and the run's id, in the name of the folder where files wait."""
STREAM = ".stream-"
"""The same of runs without end, whose files stay when the process is gone."""
_TOLD = 5


@dataclass(frozen=True)
class Finding:
    """Something wrong with the data as a whole.

    Attributes:
      severity: "ERROR", "WARNING" or "SLICE".
      feature: The path of a feature; or the name of a rule, or of all data.
      why: What is wrong, in words that hold no value of a row.
    """

    severity: str
    feature: str
    why: str


@dataclass(frozen=True)
class Entry:
    """A line of the run's ledger: what one bundle of one step did.

    Attributes:
      kind: "read" (rows that came in), "suppressed" (rows that a policy leaves out),
        "untransformed" (values that stay, though a policy transforms their like), "staged" (a file
        of rows that waits for the commit),
        "artifact" (another file that does), "published" (rows that are at a topic, which knows no
        commit, or were looked at), "schema" (what an output without rows looks like) or "verdict"
        (what is wrong with the data as a whole).
      step: The step's label.
      target: Where the file will go: its folder or file.
      path: Where the file waits; an artifact keeps what follows the staging folder as its name.
      rows: How many rows.
      bytes: The file's size.
      order: Where its first row came from: files are published in this order.
      counts: Rows by reason, of dead letters; of a "read", those that were dropped after it.
      schema: The Arrow schema, serialized.
      findings: Of a "verdict": what is wrong with the data.
      measures: Of a "verdict": figures about the data as a whole, by name.
      inputs: Of a "read": the files that were read, as they were at launch.
      folder: The folder within its target in which a staged file will be, such as `Split-train`.
    """

    kind: str
    step: str
    target: str = ""
    path: str = ""
    rows: int = 0
    bytes: int = 0
    order: tuple[str, int] = ("", 0)
    counts: tuple[tuple[str, int], ...] = ()
    schema: Any = b""
    findings: tuple[Finding, ...] = ()
    measures: tuple[tuple[str, int], ...] = ()
    inputs: tuple[File, ...] = ()
    folder: str = ""


@dataclass(frozen=True)
class Target:
    """An output of a run.

    Attributes:
      root: The folder or file it becomes.
      folder: Whether it becomes a folder.
      format: Its format's name.
      compression: One of `compression.ENDINGS`, or "".
      settings: The settings of the format in the URI.
      staging: The folder in which its files wait; hidden, beside it.
      dead_letters: Whether it takes the dead letters.
      uri: As the user gave it.
      evidence: Whether it describes the run, as dead letters and reports do, and so is published
        also where a gate says no.
      preview: Whether nothing of it stays, and so its manifest lies with the staging.
      in_sight: Columns that a preview on a narrow terminal shows before all others.
      beside: Where the output is no file: the path beside which runs stage, and put manifests.
    """

    root: str
    folder: bool
    format: str
    compression: str
    settings: tuple[tuple[str, str], ...]
    staging: str
    dead_letters: bool = False
    uri: str = ""
    evidence: bool = False
    preview: bool = False
    in_sight: tuple[str, ...] = ()
    beside: str = ""

    @property
    def run_id(self) -> str:
        """The run that stages for it."""
        mark = STAGING if STAGING in self.staging else STREAM
        return self.staging.rpartition(mark)[2]

    @property
    def records(self) -> str:
        """Where a run without end keeps what it has committed."""
        return f"{self.beside}.{self.run_id}.millrace" if self.beside else f"{self.root}/_millrace"

    @property
    def manifest(self) -> str:
        """Its manifest: inside a folder, hidden from readers of the data; beside a file."""
        if self.beside:
            return f"{self.beside}.{self.run_id}.run.json"
        if self.preview:
            return f"{self.staging}.run.json"
        return f"{self.root}/{MANIFEST}" if self.folder else f"{self.root}.run.json"

    def check_folder(self) -> None:
        """Checks that it is a folder, where several files are to be in it.

        Raises:
          ConfigError: It is a single file, or stdout.
        """
        if not self.folder or self.preview:
            raise ConfigError(
                f"{self.uri!r} is no folder, and what is made are several files: name a folder, "
                "with a slash at its end"
            )

    @property
    def suffix(self) -> str:
        """The ending of its files' names."""
        return f".{self.format}" + ENDINGS.get(self.compression, "")


@dataclass(frozen=True)
class Gate:
    """What must hold before anything is visible.

    Attributes:
      max_rejected_fraction: Rejected rows over rows in; above it nothing is published. None
        objects only where every row was rejected.
      allow_unreadable_files: Publish although a file could not be read to its end.
      without_errors: Publish nothing of data that has errors as a whole.
    """

    max_rejected_fraction: float | None = None
    allow_unreadable_files: bool = False
    without_errors: bool = False

    def objection(self, counts: Mapping[str, Any]) -> str | None:
        """Returns why the run may not be published, or None."""
        if changed := counts.get("changed_files"):
            return (
                f"{changed} input file(s) changed while they were read, so that rows of both "
                "versions may be among those read: run again when nothing writes there"
            )
        unreadable = counts["unreadable_files"]
        if unreadable and not self.allow_unreadable_files:
            return (
                f"{unreadable} input file(s) could not be read to the end, and how many rows they "
                "lost is unknown. Mend or leave out the files that the dead letters name, or pass "
                "--allow_unreadable_files to publish the other rows"
            )
        if self.without_errors and (errors := _errors(counts)):
            listed = "; ".join(errors[:_TOLD])
            more = f"; and {len(errors) - _TOLD:,} more" if len(errors) > _TOLD else ""
            return f"the data is not what it must be: {listed}{more}"
        dead, limit = counts["rows_dead"], self.max_rejected_fraction
        rows = dead + counts["rows_out"]
        if limit is None and dead and dead == rows:
            return (
                f"every row was rejected, {rows:,} of them; the dead letters say why. "
                "--max_rejected_fraction=1 publishes even so"
            )
        if limit is not None and rows and dead / rows > limit:
            return (
                f"{dead:,} of {rows:,} rows were rejected ({dead / rows:.2%}), more than "
                f"--max_rejected_fraction={limit:g} allows"
            )
        return None


def _errors(counts: Mapping[str, Any]) -> list[str]:
    found = counts.get("findings", ())
    return [f"{each['feature']}: {each['why']}" for each in found if each["severity"] == "ERROR"]


def count(ledger: list[Entry], targets: Iterable[Target]) -> dict[str, Any]:
    """Adds up the ledger.

    Raises:
      MillraceError: Rows in are not rows out and rows dead.
    """
    targets = list(targets)
    dead = {target.root for target in targets if target.dead_letters}
    evidence = {target.root for target in targets if target.evidence}
    reasons: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for entry in ledger:
        if entry.target in dead:
            reasons.update(dict(entry.counts))
            steps[entry.step] += entry.rows
    unreadable = sum(reasons[reason] for reason in FILE_REASONS)
    rows_dead = reasons.total() - unreadable
    changed = max(reasons[Reason.CHANGED_FILE], len(_changed(ledger)))
    tallies = [entry for entry in ledger if entry.kind == "read"]
    late = sum(dict(entry.counts).get(Reason.LATE, 0) for entry in tallies)
    rows_in = sum(entry.rows for entry in tallies) + late if tallies else None
    written = Counter[str]()
    for entry in ledger:
        if entry.kind in ("staged", "published") and entry.target not in evidence:
            written[entry.target] += entry.rows
    rows_out = max(written.values(), default=0)
    suppressed = sum(entry.rows for entry in ledger if entry.kind == "suppressed")
    left = sum(entry.rows for entry in ledger if entry.kind == "untransformed")
    if rows_in is not None and rows_in != rows_out + rows_dead + late + suppressed:
        raise MillraceError(
            f"nothing was published: {rows_in:,} rows came in, but {rows_out:,} came out and "
            f"{rows_dead:,} were rejected, {late:,} too late. This is a defect of the "
            "pipeline; please report it"
        )
    verdicts = [entry for entry in ledger if entry.kind == "verdict"]
    found = [asdict(finding) for entry in verdicts for finding in entry.findings]
    measures = {name: value for entry in verdicts for name, value in entry.measures}
    return {
        **({"findings": found} if found or any(not each.measures for each in verdicts) else {}),
        **({"measures": measures} if measures else {}),
        **({"changed_files": changed} if changed else {}),
        "rows_in": rows_in,
        "rows_out": rows_out,
        "rows_dead": rows_dead,
        "rows_late": late,
        **({"rows_suppressed": suppressed} if suppressed else {}),
        **({"values_untransformed": left} if left else {}),
        "unreadable_files": unreadable,
        "dead_by_reason": dict(sorted(reasons.items())),
        "dead_by_step": dict(sorted(steps.items())),
    }


def _changed(ledger: Iterable[Entry]) -> set[str]:
    """Returns the files that were read and are no longer what they were at launch."""
    files = {file for entry in ledger for file in entry.inputs}
    if not files:
        return set()
    with ThreadPoolExecutor(16) as pool:
        changes = pool.map(change_of, files)
        return {file.uri for file, why in zip(files, changes, strict=True) if why}


def final_names(target: Target, staged: list[Entry]) -> Iterator[tuple[Entry, str]]:
    """Yields where each staged file goes, in the order in which the rows came."""
    ready = sorted((e for e in staged if e.kind == "staged"), key=lambda e: (e.order, e.path))
    for folder in sorted({entry.folder for entry in ready}):
        inside = [entry for entry in ready if entry.folder == folder]
        for index, entry in enumerate(inside):
            name = part_name(target, folder, index, len(inside))
            yield entry, f"{target.root}/{name}" if target.folder else target.root
    for entry in sorted((e for e in staged if e.kind == "artifact"), key=lambda e: e.path):
        yield entry, f"{target.root}/{entry.path.removeprefix(f'{target.staging}/')}"


def part_name(target: Target, folder: str, index: int, parts: int) -> str:
    """Returns the name of one of the files of rows of a folder, within its target."""
    name = f"part-{index:05d}-of-{parts:05d}{target.suffix}"
    return f"{folder}/{name}" if folder else name
