"""The option of jobs that store nothing unredacted."""

from dataclasses import dataclass

from beam_jobs.options.declare import JobOptions, option

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
