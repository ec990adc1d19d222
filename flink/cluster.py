"""Starts and stops a local Flink cluster: python -m flink.cluster start | stop | status.

`flink/assemble` fetches what it consists of. Its processes go on when the command has ended; each
is remembered by its id and the time of its start, so that no other process is ever stopped.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flink.settings import Settings

FOLDER = pathlib.Path(__file__).parents[1] / ".cache" / "flink"
START_SECONDS = 90.0
_STOP_SECONDS = 10.0


class ClusterError(Exception):
    """A cluster that can't be started."""


def missing(folder: pathlib.Path = FOLDER) -> str | None:
    """Returns why no cluster can be started here; None where one can."""
    if shutil.which("java") is None:
        return "needs Java 17"
    return None if (folder / ".ready").exists() else "needs a Flink cluster (make flink)"


def start(settings: Settings) -> None:
    """Starts a cluster and waits until it takes jobs.

    Raises:
      ClusterError: Something is missing, a port is taken, or a process ended.
    """
    if why := missing(settings.folder):
        raise ClusterError(why)
    if running(settings):
        raise ClusterError(f"it runs already: see {settings.place}")
    _check_ports(settings)
    shutil.rmtree(settings.place, ignore_errors=True)
    for name in ("tmp", "blobs", "artifacts"):
        (settings.place / name).mkdir(parents=True)
    (settings.place / "config.yaml").write_text(settings.configuration())
    try:
        for name, command in settings.commands().items():
            launch(settings, name, command)
        _wait(settings, "taskmanager", lambda: slots(settings) >= settings.slots)
        _wait(settings, "jobserver", lambda: _listens(settings.jobs))
        _wait(settings, "workers", lambda: _listens(settings.workers))
    except BaseException:
        stop(settings)
        raise


def launch(settings: Settings, name: str, command: Sequence[str]) -> int:
    """Starts one process of a cluster in a session of its own, and notes it; returns its id."""
    log = str(settings.place / f"{name}.log")
    appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, appending, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawnp(
        command[0], command, _environment(settings), file_actions=files, setsid=True
    )
    (settings.place / f"{name}.pid").write_text(f"{pid} {_started(pid)}")
    return pid


def stop(settings: Settings) -> None:
    """Ends the processes of a cluster, and its workers; deletes what they wrote, but no logs."""
    pids = list(running(settings).values())
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            _signal_session(pid, number)
        until = time.monotonic() + _STOP_SECONDS
        while any(map(_session_lives, pids)) and time.monotonic() < until:
            time.sleep(0.05)
    for pid in pids:
        # Only where they are this process' own children does it have to ask how they ended.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    for name in ("tmp", "blobs", "artifacts"):
        shutil.rmtree(settings.place / name, ignore_errors=True)
    for noted in settings.place.glob("*.pid"):
        noted.unlink()


def running(settings: Settings) -> dict[str, int]:
    """Returns the ids of the processes of a cluster that run, by name."""
    found = {}
    for noted in sorted(settings.place.glob("*.pid")):
        pid, began = noted.read_text().split()
        if _started(int(pid)) == began:
            found[noted.stem] = int(pid)
    return found


def ask(settings: Settings, path: str, method: str = "GET") -> Any:
    """Returns what Flink's REST interface answers."""
    url = f"http://localhost:{settings.rest}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return json.load(answer)


def slots(settings: Settings) -> int:
    """Returns how many slots the cluster has; 0 while it doesn't answer."""
    try:
        return int(ask(settings, "/overview")["slots-total"])
    except OSError:
        return 0


def _environment(settings: Settings) -> Mapping[str, str]:
    """Returns the environment of a cluster's processes.

    The pool starts its workers by the name `python`, and what they compile has to be kept: it is
    11 s instead of 3 until a worker is there. In a worker tf.Transform may be imported before our
    modules, and must not choose Keras 2.
    """
    given = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    beside = os.path.dirname(settings.python)
    paths = [settings.python_path, given.get("PYTHONPATH", "")]
    return {
        **given,
        "TF_USE_LEGACY_KERAS": "0",
        "PATH": os.pathsep.join([beside, given.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }


def _started(pid: int) -> str:
    """Returns when a process began, in the kernel's count; "" where none lives."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The name, in brackets, may hold anything.
    state, *fields = text.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]


def members(session: int) -> list[int]:
    """Returns the processes of a session that live."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of, *_ = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(of) == session and state != "Z":
            found.append(int(place.name))
    return found


def _signal_session(session: int, number: signal.Signals) -> None:
    for pid in members(session):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _session_lives(session: int) -> bool:
    return bool(members(session))


def _listens(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("localhost", port)) == 0


def _check_ports(settings: Settings) -> None:
    for name in ("rest", "jobs", "artifacts", "workers", "rpc"):
        port = getattr(settings, name)
        if _listens(port):
            raise ClusterError(f"port {port} is taken: --{name} names another")


def _wait(settings: Settings, name: str, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        for ended in settings.commands().keys() - running(settings).keys():
            raise ClusterError(f"the {ended} ended: see {settings.place}/{ended}.log")
        if time.monotonic() > until:
            raise ClusterError(f"the {name} did not start: see {settings.place}/{name}.log")
        time.sleep(0.1)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m flink.cluster", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status"])
    parser.add_argument("--folder", type=pathlib.Path, default=FOLDER)
    for name in ("rest", "jobs", "artifacts", "workers", "rpc", "slots"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Settings, name))
    given = vars(parser.parse_args(argv))
    command = given.pop("command")
    settings = Settings(python=sys.executable, python_path=os.getcwd(), **given)
    try:
        if command == "start":
            start(settings)
        if command == "stop":
            stop(settings)
    except ClusterError as error:
        print(f"flink: {error}", file=sys.stderr)
        return 1
    print(_status(settings))
    return 0


def _status(settings: Settings) -> str:
    found = running(settings)
    if not found:
        return "flink: stopped"
    processes = ", ".join(f"{name} {pid}" for name, pid in found.items())
    flags = (
        f"--runner=FlinkRunner --job_endpoint=localhost:{settings.jobs} "
        f"--flink_master=localhost:{settings.rest}",
        f"--environment_type=EXTERNAL --environment_config=localhost:{settings.workers}",
    )
    return (
        f"flink: {processes}\n  console: http://localhost:{settings.rest}\n"
        f"  in this process' workers: {flags[0]}\n  in workers of the pool: {' '.join(flags)}"
    )


if __name__ == "__main__":
    sys.exit(main())
