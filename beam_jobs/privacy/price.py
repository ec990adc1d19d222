"""What a redaction through Cloud DLP would take: requests, bytes and a price."""

from typing import TYPE_CHECKING

from beam_jobs.privacy.redaction import read_redaction, text_types

if TYPE_CHECKING:
    import pyarrow as pa

    from beam_jobs.options.privacy import RedactionOptions
    from transforms.io.file_source import Source

SAMPLE_BYTES = 64 << 20
"""Of a larger input only so many bytes of rows are looked at, and the rest is taken for alike."""


def price_of(options: "RedactionOptions") -> str:
    """Returns what a run would take, in lines to be read; nothing is sent to Cloud DLP.

    Raises:
      ConfigError: The policy or the input can't be read.
    """
    redaction = read_redaction(options.policy)
    policy = redaction.policy
    if policy.engine != "cloud":
        return "Cloud DLP:\n  not asked: the policy's engine is local\n"
    from privacy.cloud.estimate import estimate, price
    from privacy.cloud.policies import cloud_policy
    from transforms.io.file_source import Source
    from transforms.io.inputs import resolve_input

    source = resolve_input(
        options.input, options.schema, text_types(redaction), options.limit, **options.streaming
    )
    policy = redaction.fitted(source).policy
    if not isinstance(source, Source):
        return "Cloud DLP:\n  not estimated: only of files is it known how much there is\n"
    batches, share = _sample(source)
    found = estimate(cloud_policy(policy, policy.project or "unknown", source.schema), batches)
    requests, sent = round(found.requests / share), round(found.bytes / share)
    how = "all rows" if share == 1 else f"{sum(x.num_rows for x in batches):,} rows"
    return (
        f"Cloud DLP, estimated from {how}:\n"
        f"  requests  {requests:,}\n"
        f"  bytes     {sent:,}\n"
        f"  price     at most ${price(sent):,.2f}\n"
    )


def _sample(source: "Source") -> "tuple[list[pa.RecordBatch], float]":
    """Returns the first batches of files, and which part of the files they are."""
    from transforms.io.file_read import plan_file, read_batches, read_split
    from transforms.io.passed import Passed

    batches, size, seen = [], 0, 0
    if source.limit is not None:
        return [rows for rows, _ in read_batches(source)], 1.0
    for file in source.files:
        for split in plan_file(source, file):
            passed = Passed(split)
            for rows, _ in read_split(source, split, passed=passed):
                batches.append(rows)
                size, seen = size + rows.nbytes, seen + passed.more()
                if size >= SAMPLE_BYTES and seen:
                    return batches, min(1.0, seen / max(1, source.bytes))
            seen += passed.rest()
    return batches, 1.0
