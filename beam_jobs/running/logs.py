"""What is logged: locally what matters, in a Flex Template's launcher JSON for Cloud Logging."""

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from beam_jobs.running.failures import debug

# Written by TensorFlow's libraries on every start, before their log level is set.
_NOISE = (
    "^WARNING: All log messages before absl::InitializeLog",
    "^I0000 .* oneDNN custom operations are on",
    "^I0000 .*cudart_stub",
)
# TensorFlow's warning before it raises: it holds values of rows, and the failure is handled.
_VALUES = ("^W0000 .*local_rendezvous", r"^[[:space:]]+\[\[\{\{")
# On a machine without a GPU this is no error.
_NO_GPU_NOISE = "^E0000 .*failed call to cuInit"
# The failure itself is reported once, by the launcher.
_RUNNER_LOGS = (
    "apache_beam.runners.common",
    "apache_beam.runners.portability.",
    "apache_beam.runners.worker.",
)
_BEAM_NOISE = (
    "No iterator is returned by the process method",
    "This input type hint will be ignored",
)

_children: list[subprocess.Popen[bytes]] = []


def open_streams() -> None:
    """Opens what of stdin, stdout and stderr is closed, lest a file of the run takes its place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def quiet_libraries() -> None:
    """Makes libraries that are imported later quiet; what the user has set stays."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


def set_up() -> None:
    """Warnings and errors to stderr, without what says nothing. To be called before Beam's import.

    A program that has set up logging by itself keeps what it has.
    """
    if debug() or logging.getLogger().handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    handler.addFilter(_matters)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def _matters(record: logging.LogRecord) -> bool:
    # What a job service says of a failure Beam's client logs under no name of its own.
    if record.name.startswith(_RUNNER_LOGS) or record.filename == "portable_runner.py":
        return False
    return not record.getMessage().startswith(_BEAM_NOISE)


def quiet_workers() -> None:
    """Keeps Beam's in-process workers from printing tracebacks of their own, beside the log."""
    from apache_beam.runners.worker import sdk_worker

    if not debug():
        # It prints each one to stderr, and logs it too; the launcher reports the root cause once.
        sdk_worker.print = _print_nothing
        threading.excepthook = _thread_failed


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """Beam's threads end so when the runner goes first, whatever has happened."""
    import grpc

    if not isinstance(failure.exc_value, grpc.RpcError):
        threading.__excepthook__(failure)


def _print_nothing(*_: object, **__: object) -> None:
    pass


def filter_native() -> None:
    """Sends what libraries write to file descriptor 2 through `grep -v`.

    A program of its own loses nothing when TensorFlow aborts this one. Python's own stderr stays
    as it is. Where stderr is captured or replaced, nothing is done.
    """
    shown = sys.__stderr__
    if debug() or _children or shown is None or sys.stderr is not shown or shown.fileno() != 2:
        return
    noise = [*_NOISE, *_VALUES]
    if not Path("/dev/nvidiactl").exists():
        noise.append(_NO_GPU_NOISE)
    command = ["grep", "--line-buffered", "-avE", "|".join(noise)]
    kept = os.dup(2)
    with contextlib.suppress(OSError):
        # A session of its own: Ctrl-C is not for it, it ends when this process does.
        grep = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=kept, start_new_session=True)
        assert grep.stdin is not None
        _children.append(grep)
        sys.stderr = os.fdopen(os.dup(kept), "w", buffering=1)
        os.dup2(grep.stdin.fileno(), 2)
        grep.stdin.close()
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is shown:
                handler.setStream(sys.stderr)
    os.close(kept)


class _JsonLines(logging.Formatter):
    """One JSON object a record, as Cloud Logging reads it."""

    def format(self, record: logging.LogRecord) -> str:
        """Formats severity and message; the traceback is part of the message."""
        return json.dumps({"severity": record.levelname, "message": super().format(record)})


def set_up_template() -> None:
    """Logs JSON lines with a severity, which the launcher's log keeps."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def say(job: str, text: str, code: int = 0) -> int:
    """Prints a message for the user; stdout is for rows.

    Returns: The exit code, as given.
    """
    # A terminal's line may hold how far the run is: it is drawn anew.
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}{job}: {text}", file=sys.stderr)
    return code
