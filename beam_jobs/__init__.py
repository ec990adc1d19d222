"""Jobs: one file each, launched as `python -m beam_jobs.<job>` or as a Dataflow Flex Template."""

from typing import TYPE_CHECKING

from transforms.lazy import front_door

__version__ = "0.1.0"

if TYPE_CHECKING:
    from beam_jobs.streaming.run import run_stream, stream_pipeline

_HOMES = {"run_stream": "streaming.run", "stream_pipeline": "streaming.run"}

__all__ = ["run_stream", "stream_pipeline"]

__getattr__ = front_door(__name__, _HOMES)
