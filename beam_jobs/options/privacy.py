"""The option of jobs that store nothing unredacted."""

from dataclasses import dataclass
from typing import ClassVar

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
    subject_index: str | None = option(
        "A folder for an index of whose rows are where in the output, by which erase finds them. "
        "Without --subject_key nobody can tell who is in it. Needs --subject_columns too.",
        kind="GCS_WRITE_FOLDER",
        default=None,
        metavar="URI",
        group=GROUP,
    )
    subject_columns: tuple[str, ...] = option(
        "Columns of the input that name whom a row is about: customer_id,email for example.",
        default=(),
        metavar="COLUMNS",
        group=GROUP,
    )
    subject_key: str | None = option(
        "The key of the index, by reference: env:NAME, file:PATH, secret:..., kms:...",
        regex="(env|file|secret|kms):.+",
        default=None,
        metavar="KEY",
        group=GROUP,
    )
    row_key: tuple[str, ...] = option(
        "Columns of the output by which the index knows a row; by default all, and rows that are "
        "alike can then not be told apart.",
        default=(),
        metavar="COLUMNS",
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


@dataclass(frozen=True, kw_only=True)
class ErasureOptions(JobOptions):
    """The options of the job that erases subjects."""

    letters_beside: ClassVar[str] = "erasure.dead_letters"
    in_place: ClassVar[bool] = True

    input: str = option(
        "The files that redact wrote: a folder, file or glob, also of key=value folders and of "
        "several formats.",
        kind="GCS_READ_FILE",
        metavar="URI",
        group="Data",
    )
    output: str = option(
        "A folder for the rows that stay. That of --input, with --overwrite, erases in place. "
        "Files keep their folders, names and formats; ?format= gives all another format. Nothing "
        "changes before the job is done.",
        kind="GCS_WRITE_FOLDER",
        metavar="URI",
        group="Data",
    )
    schema: str | None = option(
        "A schema.pbtxt or BigQuery .json schema of the input; by default the files' own.",
        kind="GCS_READ_FILE",
        default=None,
        metavar="URI",
        group="Data",
    )
    subject_index: str = option(
        "The index that redact --subject_index wrote.",
        kind="GCS_READ_FOLDER",
        metavar="URI",
        group=GROUP,
    )
    subjects: str = option(
        "A file of those who are to be erased: its columns are some of redact's --subject_columns.",
        kind="GCS_READ_FILE",
        metavar="URI",
        group=GROUP,
    )
    subject_key: str = option(
        "The key of the index, by reference: env:NAME, file:PATH, secret:..., kms:...",
        regex="(env|file|secret|kms):.+",
        metavar="KEY",
        group=GROUP,
    )
    row_key: tuple[str, ...] = option(
        "The columns by which the index knows rows, as redact --row_key named them.",
        default=(),
        metavar="COLUMNS",
        group=GROUP,
    )
    retokenise: tuple[str, ...] = option(
        "Keep the rows, and put tokens that nobody can take back into these columns.",
        default=(),
        metavar="COLUMNS",
        group=GROUP,
    )
    reason: str = option(
        "Why they are erased: a request's number, say.", metavar="TEXT", group=GROUP
    )
    who: str = option("Who has them erased.", metavar="NAME", group=GROUP)
