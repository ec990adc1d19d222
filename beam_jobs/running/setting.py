"""Where and how a job runs, settled once per launch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from transforms.families import family_of

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

    from beam_jobs.running.runners import Place


@dataclass(frozen=True)
class Setting:
    """Where and how a job runs.

    Attributes:
      place: In this process, on a service, or in a Flex Template's launcher.
      unbounded: Whether its input has no end.
      native: Whether the runner reads an input without end by a source of its own.
      retries: Whether the runner does again what failed, whatever the error is.
    """

    place: "Place"
    unbounded: bool = False
    native: bool = False
    retries: bool = False

    @classmethod
    def of(cls, options: object, beam_options: "PipelineOptions") -> "Setting":
        """Settles it, by a job's options and Beam's."""
        from beam_jobs.running import runners

        unbounded = is_unbounded(options)
        native = unbounded and runners.reads_natively(beam_options)
        return cls(runners.place_of(beam_options), unbounded, native, runners.retries(beam_options))

    @property
    def is_local(self) -> bool:
        """Whether the job runs in this process, and is waited for."""
        return self.place == "local"


def is_unbounded(options: object) -> bool:
    """Returns whether a job's input has no end."""
    uri = getattr(options, "input", None)
    return uri is not None and not family_of(uri).bounded
