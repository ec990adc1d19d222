"""Graphs in files: those that rehearsals keep, and those that launches have stored."""

import json
from typing import Any

from transforms.errors import ConfigError


def graph_at(uri: str) -> Any:
    """Returns a pipeline's proto.

    Args:
      uri: A pipeline.pb, or a job file; that stands for the pipeline.pb beside it, or else for the
        one that it names.

    Raises:
      ConfigError: There is no such file, or it is neither of these.
    """
    from apache_beam.portability.api import beam_runner_api_pb2 as api
    from google.protobuf.message import DecodeError

    try:
        content = _read(uri)
        if content.lstrip()[:1] == b"{":
            content = _of_job(uri, json.loads(content))
        found = api.Pipeline.FromString(content)
    except (DecodeError, ValueError) as error:
        raise ConfigError(f"{uri} is no graph and no job file ({error})") from None
    if not found.components.transforms:
        raise ConfigError(f"{uri} holds no steps: is it a pipeline.pb or a job file?")
    return found


def _read(uri: str) -> bytes:
    from transforms.files.filesystem import read_bytes

    try:
        return read_bytes(uri)
    except FileNotFoundError:
        raise ConfigError(f"there is no file {uri}") from None


def _of_job(uri: str, job: Any) -> bytes:
    from transforms.files.filesystem import exists

    beside = f"{uri.rpartition('/')[0] or '.'}/pipeline.pb"
    if exists(beside):
        return _read(beside)
    options = job.get("environment", {}).get("sdkPipelineOptions", {}).get("options", {})
    place = options.get("pipelineUrl") or options.get("pipeline_url")
    if not place:
        raise ConfigError(f"{uri} names no graph")
    return _read(place)
