"""`--profile=local`: a job talks to emulators on this machine, and to nothing else.

The official clients follow environment variables. Those of the services that a job uses are
checked, and then set to exactly what was checked, for as long as the job runs.
"""

import contextlib
import ipaddress
import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from beam_jobs.options.declare import JobOptions, declared
from transforms.errors import ConfigError

LOCAL = "local"
_ANSWER_SECONDS = 2.0
_ENDPOINT = re.compile(
    r"(?:(?P<scheme>https?)://)?(?:\[(?P<six>[0-9a-f:]+)\]|(?P<four>[\w.-]+)):(?P<port>[0-9]{1,5})/?",
    re.ASCII | re.IGNORECASE,
)
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.]*)://|(?P<known>pubsub|bq):")
_TABLE = re.compile("big_?query_?field", re.IGNORECASE)
_NO_PROXY = ("no_proxy", "NO_PROXY")


@dataclass(frozen=True)
class Emulator:
    """How a service is emulated.

    Attributes:
      service: Its name.
      variable: The environment variable that the official clients follow.
      port: Where the emulator listens by default.
      schemes: Whether the variable's value has a scheme, `http://` by default.
      start: The command that starts it.
    """

    service: str
    variable: str
    port: int
    schemes: bool
    start: str


EMULATORS = {
    "bq": Emulator(
        "BigQuery",
        "BIGQUERY_EMULATOR_HOST",
        9050,
        True,
        "bqemulator start --rest-port 9050 --grpc-port 9060",
    ),
    "gs": Emulator(
        "Cloud Storage",
        "STORAGE_EMULATOR_HOST",
        9023,
        True,
        "gcp-storage-emulator start --host=127.0.0.1 --port=9023 --in-memory "
        "--default-bucket=BUCKET",
    ),
    "pubsub": Emulator(
        "Pub/Sub",
        "PUBSUB_EMULATOR_HOST",
        8085,
        False,
        "gcloud beta emulators pubsub start --host-port=127.0.0.1:8085",
    ),
}
"""The services that there are emulators of, by the scheme of their URIs."""

BESIDE = {
    "bq": Emulator(
        "BigQuery's Storage API",
        "BIGQUERY_STORAGE_EMULATOR_HOST",
        9060,
        False,
        "bqemulator start --rest-port 9050 --grpc-port 9060",
    )
}
"""A service's second interface, where it has one."""

DLP = Emulator(
    "Cloud DLP", "DLP_EMULATOR_HOST", 8086, False, "python -m privacy.server --port 8086"
)
"""The service of a policy with `engine: cloud`, which has no URI."""


@contextlib.contextmanager
def applied(options: JobOptions, beam_argv: Sequence[str]) -> Iterator[None]:
    """Keeps a job of `--profile=local` on this machine for as long as the context.

    Without that profile it does nothing. No credentials are looked up: the services' clients are
    anonymous.

    Args:
      options: The job's options.
      beam_argv: Beam's part of the command line.

    Raises:
      ConfigError: The job would run, read or write elsewhere, or an emulator isn't there.
    """
    if options.profile != LOCAL:
        yield
        return
    _check_runner(beam_argv)
    values = {emulator.variable: found(emulator) for emulator in used(options, beam_argv)}
    # The policy itself may lie in an emulated bucket.
    with (
        _environment({**values, **_without_proxy(os.environ)}),
        _anonymous(),
        _environment(_of_policy(options)),
    ):
        yield


def _of_policy(options: JobOptions) -> dict[str, str]:
    """Returns where the emulators listen that a job's policy needs: of Cloud DLP, and of words."""
    uri = getattr(options, "policy", None)
    if uri is None:
        return {}
    from privacy.policy.read import content_of
    from transforms.files.filesystem import read_text

    content = content_of(read_text(uri, "--policy"), uri)
    words = str(content)
    wanted = [DLP] if isinstance(content, dict) and content.get("engine") == "cloud" else []
    wanted += [EMULATORS["gs"]] if "gs://" in words else []
    wanted += [EMULATORS["bq"], BESIDE["bq"]] if _TABLE.search(words) else []
    return {emulator.variable: found(emulator) for emulator in wanted}


def used(options: JobOptions, beam_argv: Sequence[str]) -> list[Emulator]:
    """Returns the services that a job uses, by its URIs.

    Raises:
      ConfigError: A URI is of a service that there is no emulator of.
    """
    given = [(o.flag, getattr(options, o.name)) for o in declared(type(options))]
    given += [(argument.partition("=")[0], argument.partition("=")[2]) for argument in beam_argv]
    # Values that stand for themselves: `--temp_location gs://bucket/tmp`.
    given += [(argument, argument) for argument in beam_argv]
    wanted = {}
    for flag, value in given:
        scheme = _scheme(value)
        if scheme in EMULATORS:
            wanted[scheme] = EMULATORS[scheme]
            if scheme in BESIDE:
                wanted[f"{scheme} beside"] = BESIDE[scheme]
        elif scheme not in (None, "file"):
            raise ConfigError(
                f"{flag}: --profile=local has no emulator of {scheme}://; "
                f"it has those of {', '.join(f'{known}:' for known in EMULATORS)}"
            )
    return list(wanted.values())


def _scheme(value: Any) -> str | None:
    """Returns the scheme of a URI in lower case; None for other texts."""
    match = _SCHEME.match(value) if isinstance(value, str) else None
    return match[match.lastgroup or 0].lower() if match else None


def found(emulator: Emulator, environ: Mapping[str, str] = os.environ) -> str:
    """Returns where an emulator listens, as its variable has it.

    Args:
      emulator: Which.
      environ: The environment; where it does not say, the usual port is tried.

    Returns: An address that is an IP, so that no resolver sends the clients elsewhere.

    Raises:
      ConfigError: The variable names no address of this machine, or nothing listens there.
    """
    given = environ.get(emulator.variable, "")
    scheme, hosts, port = endpoint(emulator, given or f"localhost:{emulator.port}")
    for host in hosts:
        with contextlib.suppress(OSError):
            socket.create_connection((host, port), _ANSWER_SECONDS).close()
            shown = f"[{host}]" if ":" in host else host
            return f"{scheme}{shown}:{port}"
    why = f"nothing listens at {given}" if given else f"it is not set, nor is port {port} in use"
    raise ConfigError(_refusal(emulator, why))


def endpoint(emulator: Emulator, given: str) -> tuple[str, tuple[str, ...], int]:
    """Returns what an emulator's variable says.

    Args:
      emulator: Which.
      given: `127.0.0.1:8085`, `[::1]:8085` or `http://localhost:9023`, say.

    Returns: The scheme with `://`, or ""; the IPs that may be meant; the port.

    Raises:
      ConfigError: It is not a loopback address with a port.
    """
    match = _ENDPOINT.fullmatch(given)
    host = (match["six"] or match["four"]).lower() if match else ""
    # A name other than this one would have to be looked up, outside.
    hosts = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    if not match or not all(map(_is_loopback, hosts)) or not 0 < int(match["port"]) < 65536:
        raise ConfigError(
            _refusal(
                emulator, f"{given!r} is no loopback address such as 127.0.0.1:{emulator.port}"
            )
        )
    scheme = f"{(match['scheme'] or 'http').lower()}://" if emulator.schemes else ""
    return scheme, hosts, int(match["port"])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(emulator: Emulator, why: str) -> str:
    return (
        f"--profile=local: {emulator.variable}: {why}. Start the emulator of {emulator.service} "
        f"(`{emulator.start}`), and set {emulator.variable} to where it listens"
    )


def _check_runner(beam_argv: Sequence[str]) -> None:
    """Workers in another process would not follow what is set in this one."""
    from apache_beam.options.pipeline_options import (
        DirectOptions,
        GoogleCloudOptions,
        PipelineOptions,
    )

    from beam_jobs.running import runners

    options = PipelineOptions(list(beam_argv))
    name = runners.runner_name(options)
    if options.view_as(GoogleCloudOptions).template_location:
        raise ConfigError(
            "--profile=local: a template runs elsewhere: leave out --template_location"
        )
    if not runners.in_process(options) and name != "prismrunner":
        raise ConfigError(f"--profile=local: {name} runs elsewhere: leave out --runner")
    if options.view_as(DirectOptions).direct_running_mode == "multi_processing":
        raise ConfigError(
            "--profile=local: workers are threads of this process: leave out --direct_running_mode"
        )


def _without_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns what keeps clients from handing on to a proxy what is for this machine."""
    known = [environ[name] for name in _NO_PROXY if environ.get(name)]
    value = ",".join([*known, "127.0.0.1", "::1", "[::1]", "localhost"])
    return dict.fromkeys(_NO_PROXY, value)


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        _restore(before.items())


def _restore(before: Iterable[tuple[str, str | None]]) -> None:
    for name, value in before:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _anonymous() -> Iterator[None]:
    """Has Beam's clients of Cloud Storage look for no credentials, not even at a metadata server.

    Beam looks for them once in a process, and keeps what it found; Pub/Sub's clients are anonymous
    as soon as their variable is set.
    """
    from apache_beam.internal.gcp.auth import _Credentials

    with _Credentials._credentials_lock:
        before = _Credentials._credentials_init, _Credentials._credentials
        _Credentials._credentials_init, _Credentials._credentials = True, None
    try:
        yield
    finally:
        with _Credentials._credentials_lock:
            _Credentials._credentials_init, _Credentials._credentials = before
