"""Whether a column is there, and in enough rows."""

from collections.abc import Iterator

from transforms.metadata.paths import path_text
from transforms.schema.anomalies.anomaly import Anomaly, ColumnContext, Draft
from transforms.schema.anomalies.mends import give_up
from transforms.schema.environments import in_environment
from transforms.words import counted, number, quoted

DROPPED = "Column dropped"


def not_in_environment(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a column that data of this environment should not have."""
    environment = context.environment
    if environment is None or in_environment(draft.feature, environment, context.defaults):
        return
    name = environment

    def mend(draft: Draft) -> None:
        kept = [each for each in draft.feature.not_in_environment if each != name]
        del draft.feature.not_in_environment[:]
        draft.feature.not_in_environment.extend(kept)
        if not in_environment(draft.feature, name, context.defaults):
            draft.feature.in_environment.append(name)

    yield Anomaly(
        "SCHEMA_NEW_COLUMN",
        "Column missing in environment",
        f"The data has column {quoted(path_text(context.column.path))}, which the schema leaves "
        f"out of environment {quoted(name)}.",
        mend,
    )


def too_few_rows(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a column in fewer rows than `presence.min_count`."""
    presence, present = draft.feature.presence, context.column.present
    if not presence.HasField("min_count") or present >= presence.min_count:
        return

    def mend(draft: Draft) -> None:
        draft.feature.presence.min_count = int(present)

    yield Anomaly(
        "FEATURE_TYPE_LOW_NUMBER_PRESENT",
        DROPPED,
        f"It is there in {counted(present, 'row')}; expected at least {presence.min_count}.",
        mend,
    )


def fraction_too_low(draft: Draft, context: ColumnContext) -> Iterator[Anomaly]:
    """Reports a column in a smaller share of rows than `presence.min_fraction`."""
    presence, fraction = draft.feature.presence, context.column.fraction_present
    if not presence.HasField("min_fraction") or fraction is None:
        return
    # So few rows may lack it that their share is lost in a double.
    lost = presence.min_fraction == 1 and context.column.missing != 0
    if fraction >= presence.min_fraction and not lost:
        return
    accepted = fraction if fraction < presence.min_fraction else 0.9999

    def mend(draft: Draft) -> None:
        draft.feature.presence.min_fraction = accepted

    yield Anomaly(
        "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        DROPPED,
        f"It is missing in {counted(context.column.missing, 'row')}: a share of {number(fraction)} "
        f"has it; expected at least {number(presence.min_fraction)}.",
        mend,
    )


def absent() -> Anomaly:
    """Reports a required column that the data has, but no row."""
    return Anomaly("FEATURE_TYPE_NOT_PRESENT", DROPPED, "No row has it.", give_up)


def lacking() -> Anomaly:
    """Reports a required column that the data lacks."""
    return Anomaly("SCHEMA_MISSING_COLUMN", DROPPED, "The data has no such column.", give_up)


def unknown() -> Anomaly:
    """Reports a column that the schema lacks."""
    return Anomaly("SCHEMA_NEW_COLUMN", "New column", "The schema has no such column.", None)
