"""What the redact job stores besides rows: a report, findings, and the record of an audit."""

import datetime
import getpass
import platform
from typing import TYPE_CHECKING, Any

from transforms.errors import ConfigError
from transforms.families import FILES, family_of

if TYPE_CHECKING:
    from beam_jobs.options.privacy import RedactionOptions
    from beam_jobs.running.run import Run
    from privacy.pipeline.noted import TakeNotes
    from privacy.policy.policy import Policy
    from transforms.coders import Batches


def check_asked(options: "RedactionOptions") -> None:
    """Checks that options about re-identification and findings come together.

    Raises:
      ConfigError: One is missing, or does nothing without another.
    """
    for name in ("reason", "who"):
        given = (getattr(options, name) or "").strip()
        if options.reidentify and not given:
            raise ConfigError(f"--reidentify needs --{name}: the audit record tells it")
        if given and not options.reidentify:
            raise ConfigError(f"--{name} is for --reidentify")
    if options.reidentify and options.findings:
        raise ConfigError("--findings are of what is redacted: leave it out with --reidentify")
    if options.with_quotes and not options.findings:
        raise ConfigError("--with_quotes is for --findings")


def report_of(policy: "Policy", options: "RedactionOptions", run: "Run") -> "TakeNotes | None":
    """Returns what makes a report of notes; None where there is none, as of a preview.

    Raises:
      ConfigError: A re-identification has no place for its audit record that workers reach.
    """
    if run.setting.unbounded:
        return None
    place = options.report
    if place is None and (options.reidentify or family_of(options.output) is FILES):
        place = run.evidence("redaction")
        if place and not run.setting.is_local and family_of(options.output) is not FILES:
            raise ConfigError(
                "--reidentify needs --report: beside a topic or table there is no place for the "
                "audit record that Dataflow's workers reach. Name one such as gs://bucket/folder/"
            )
    if place is None:
        return None
    from privacy.pipeline.report import StoreReport

    target = run.whole.target(place, evidence=True)
    target.check_folder()
    now = datetime.datetime.now(datetime.UTC)
    facts = {
        "Run": run.run_id,
        "Made": f"{now:%Y-%m-%d %H:%M} UTC",
        "Input": options.input,
        "Output": options.output,
        "Policy": options.policy,
        "Engine": policy.engine,
    }
    title = "Re-identification" if options.reidentify else "Redaction"
    audit = _audit(options, run, now) if options.reidentify else None
    return StoreReport(policy, target, run.whole, title, tuple(facts.items()), audit)


def _audit(options: "RedactionOptions", run: "Run", now: datetime.datetime) -> dict[str, Any]:
    """Returns an audit record, but for its counts."""
    return {
        "who": options.who,
        "why": options.reason,
        "when": now.isoformat(timespec="seconds"),
        "launched_by": f"{getpass.getuser()}@{platform.node()}",
        "run_id": run.run_id,
        "policy": options.policy,
        "input": options.input,
        "output": options.output,
    }


def store_findings(
    rows: "Batches", policy: "Policy", options: "RedactionOptions", run: "Run"
) -> None:
    """Stores what a policy finds in rows, without quotes unless they are asked for."""
    if options.findings is None:
        return
    from dataclasses import replace

    from privacy.inspect import Inspect

    inspect = type(policy.inspect_config).FromString(policy.inspect_bytes)
    inspect.include_quote = options.with_quotes
    policy = replace(policy, inspect_bytes=inspect.SerializeToString(deterministic=True))
    target = run.commit.target(options.findings, evidence=True)
    found = rows | "Findings" >> Inspect(policy)
    if run.setting.unbounded:
        import apache_beam as beam
        import pyarrow as pa

        from privacy.pipeline.messages import of_messages

        found |= "MessageIds" >> beam.Map(of_messages).with_output_types(pa.RecordBatch)
        run.commit.stage(found, target, "Findings")
        return
    run.commit.stage(found, target, "Findings", shards=None if target.folder else 1)
