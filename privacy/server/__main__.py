"""The emulator from the command line: python -m privacy.server --port 8086."""

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import Any

from privacy.local.plan import compile_plan
from privacy.policy.read import policy_of
from privacy.server.echo import EchoEngine
from privacy.server.faults import Trouble, parse_fault
from privacy.server.limits import MAX_FINDINGS
from privacy.server.local import LocalEngine
from privacy.server.serve import Server
from transforms.errors import ConfigError

ENGINES = ("echo", "local")
_EXAMPLE = "--fault=unavailable:every=3"


def parser() -> argparse.ArgumentParser:
    """Returns the options."""
    made = argparse.ArgumentParser(prog="python -m privacy.server", description=__doc__)
    made.add_argument("--port", type=int, default=8086, help="0 takes any that is free")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--engine", choices=ENGINES, default="local")
    made.add_argument("--latency", type=float, default=0.0, help="seconds that a call takes")
    made.add_argument("--quota", type=int, default=0, help="calls in each --quota_seconds")
    made.add_argument("--quota_seconds", type=float, default=60.0)
    made.add_argument("--max_findings", type=int, default=MAX_FINDINGS)
    made.add_argument(
        "--detector",
        action="append",
        default=[],
        metavar="NAME=REFERENCE",
        help="finds an infoType that needs a model: MODULE:FUNCTION or FILE.py:FUNCTION",
    )
    made.add_argument("--storage", help="a folder for gs://: it has a folder for each bucket")
    made.add_argument("--fault", action="append", default=[], help=f"such as {_EXAMPLE}")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until it is interrupted; prints the address, and in the end what was asked."""
    given = parser().parse_args(argv)
    try:
        server = _server(given)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    print(f"serving Cloud DLP's API at {server.address}", flush=True)
    try:
        server.wait()
    except KeyboardInterrupt:
        server.stop()
    seen = server.trouble
    print(f"{seen.calls:,} calls, {seen.over_quota:,} of them over the quota; {seen.bytes:,} bytes")
    return 0


def _server(given: Any) -> Server:
    faults = [parse_fault(text) for text in given.fault]
    trouble = Trouble(faults, given.latency, given.quota, given.quota_seconds)
    engine = EchoEngine() if given.engine == "echo" else _local(given.detector)
    return Server(
        engine,
        trouble,
        port=given.port,
        host=given.host,
        max_findings=given.max_findings,
        storage=given.storage,
    )


def _local(given: Sequence[str]) -> LocalEngine:
    """Returns the local engine with functions that find infoTypes.

    Raises:
      ConfigError: One can't be imported, or is not NAME=REFERENCE.
    """
    detectors = {}
    for each in given:
        name, equals, reference = each.partition("=")
        if not equals or not name:
            raise ConfigError(f"--detector={each} is not NAME=MODULE:FUNCTION")
        detectors[name] = reference
    if not detectors:
        return LocalEngine()
    kinds = [{"name": name} for name in detectors]
    policy = policy_of(
        {"inspect_config": {"info_types": kinds}, "detectors": detectors}, "of the emulator"
    )
    compile_plan(policy)
    return LocalEngine(policy.detectors)


if __name__ == "__main__":
    sys.exit(main())
