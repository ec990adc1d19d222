"""The option of jobs that store nothing unredacted."""

from dataclasses import dataclass

from beam_jobs.options.declare import JobOptions, option
from beam_jobs.options.rows import RowOptions

GROUP = "Privacy"


@dataclass(frozen=True, kw_only=True)
class PolicyOptions(JobOptions):
    """The policy of a job whose work is another one: what it stores is redacted by it."""

    policy: str | None = option(
        "A YAML or JSON file of what is personal data and what becomes of it, in Cloud DLP's "
        "words: see docs/privacy.md. Nothing is stored unredacted then: outputs, dead letters, "
        "statistics, reports and example rows.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group=GROUP,
    )


@dataclass(frozen=True, kw_only=True)
class RedactionOptions(RowOptions):
    """The options of the job that redacts rows, or takes that back."""

    policy: str = option(
        "A YAML or JSON file: what is looked for (inspect_config), what becomes of it "
        "(deidentify_config), in DLP's words, and in which columns. See docs/privacy.md.",
        kind="GCS_READ_FILE",
        metavar="URI",
        group=GROUP,
    )
    findings: str | None = option(
        "A folder or file for findings, a row for each: where it is, what it is, how likely. Every "
        "row is then looked through twice.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    with_quotes: bool = option(
        "Keep the value itself in each row of --findings: they are then as secret as the input.",
        default=False,
        group=GROUP,
    )
    report: str | None = option(
        "A folder for report.html: what was found in each column, what was done and what was left, "
        "without values. By default OUTPUT.redaction/, beside the output; a preview has none.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    reidentify: bool = option(
        "Take back what the policy did to rows, as far as it can be taken back. --reason and --who "
        "are needed; audit.json, beside the report, tells who did it, why, when, and to how many.",
        default=False,
        group=GROUP,
    )
    quasi_identifiers: tuple[str, ...] = option(
        "Columns by which somebody could be told apart, zip,birth_year,sex for example: the "
        "summary tells the k-anonymity of the output by them.",
        default=(),
        metavar="COLUMNS",
        group=GROUP,
    )
    k: int | None = option(
        "Publish nothing, with exit code 3, if fewer rows than this share their quasi-identifiers.",
        default=None,
        minimum=2,
        metavar="N",
        group=GROUP,
    )
    sensitive: tuple[str, ...] = option(
        "Columns that nobody should learn: the summary tells the l-diversity of each of them.",
        default=(),
        metavar="COLUMNS",
        group=GROUP,
    )
    l: int | None = option(  # noqa: E741
        "Publish nothing, with exit code 3, if rows with the same quasi-identifiers have fewer "
        "different values of a sensitive column than this.",
        default=None,
        minimum=2,
        metavar="N",
        group=GROUP,
    )
    reason: str | None = option(
        "Why rows are re-identified: a ticket, say.", default=None, metavar="TEXT", group=GROUP
    )
    who: str | None = option(
        "Who has them re-identified.", default=None, metavar="NAME", group=GROUP
    )

    @property
    def gate(self) -> bool:
        """Whether nothing is published of rows that hide worse than is asked."""
        return bool(self.k or self.l)
