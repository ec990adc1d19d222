"""The times of files' rows, by which a job cuts windows."""

from typing import TYPE_CHECKING, Any

from beam_jobs.options.streaming import EVENT_TIME
from transforms.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa


def time_column(options: Any, columns: "pa.Schema", *needing: str) -> str | None:
    """Returns the column by which files are cut; None if all rows are one window.

    Args:
      options: The job's.
      columns: Those of its input.
      needing: Options that mean nothing without one.

    Raises:
      ConfigError: An option needs one.
    """
    column: str = options.event_time_column
    if column != EVENT_TIME or column in columns.names:
        return column
    for name in needing:
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name} needs --event_time_column")
    return None
