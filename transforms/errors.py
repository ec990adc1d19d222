"""Errors whose text is written for the user."""


class MillraceError(Exception):
    """An error that names the option, column or file at fault and the way out.

    The launcher prints its text alone, without a traceback. The text never holds a value of a row.
    """


class ConfigError(MillraceError):
    """The job can't run as configured; raised before any row is read (exit code 2)."""


class RejectedRows(MillraceError):
    """Rows were rejected where no dead letters were given to take them (exit code 1)."""


class Refused(MillraceError):
    """A gate refused the run: only the dead letters were published (exit code 3)."""
