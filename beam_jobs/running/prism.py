"""Prism, Beam's local runner for unbounded input: a program that runs beside this process."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

from transforms.errors import ConfigError, MillraceError

START_SECONDS = 30
_LAST_WORDS_SECONDS = 0.5
# Has the kernel end the program when the process that started it ends (1 is PR_SET_PDEATHSIG).
# A preexec_fn could do so too, but only after a fork, and there gRPC now and then aborts the child
# of a process that has made calls.
_LEASHED = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "os.getppid() == int(sys.argv[1]) and os.execv(sys.argv[2], sys.argv[2:])"
)


def built() -> str | None:
    """Returns the program beside Python, or on the path, or None."""
    beside = os.path.dirname(sys.executable)
    return shutil.which("prism", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))


def find(location: str | None) -> str:
    """Returns the program: as given, or as built.

    Raises:
      ConfigError: It isn't there.
    """
    found = shutil.which(location) if location else built()
    if found is None:
        raise ConfigError(
            f"--prism_location: {location} is no program"
            if location
            else "unbounded input runs locally on Prism, a program that isn't here: `make prism` "
            "builds it with Go, or name one by --prism_location"
        )
    return found


@contextlib.contextmanager
def running(program: str) -> Iterator[str]:
    """Runs Prism for as long as the context, and no longer than this process.

    Beam's own launcher would end it at Ctrl-C, when there is still work to be finished.

    Args:
      program: Its path.

    Yields: The address of its job service.
    """
    port = _free_port()
    flags = [f"--job_port={port}", "--serve_http=false", "--log_level=error", "--log_kind=text"]
    with subprocess.Popen(
        [sys.executable, "-ISc", _LEASHED, str(os.getpid()), program, *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            _wait_for(port, process)
            with _watched(process):
                yield f"localhost:{port}"
        finally:
            process.kill()


@contextlib.contextmanager
def _watched(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Says so where a failure is that the program is gone."""
    try:
        yield
    except Exception:
        with contextlib.suppress(subprocess.TimeoutExpired):
            number = process.wait(_LAST_WORDS_SECONDS)
            raise MillraceError(
                f"Prism, which runs the job, was ended from outside ({_how(number)})"
            ) from None
        raise


def _how(number: int) -> str:
    return f"signal {-number}" if number < 0 else f"exit {number}"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    import grpc

    with grpc.insecure_channel(f"localhost:{port}") as channel:
        ready = grpc.channel_ready_future(channel)
        for _ in range(START_SECONDS):
            try:
                ready.result(1.0)
            except grpc.FutureTimeoutError:
                if process.poll() is not None:
                    raise MillraceError(f"Prism ended with {process.returncode}") from None
            else:
                return
    raise MillraceError(f"Prism did not start in {START_SECONDS} s")
