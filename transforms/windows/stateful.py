"""What steps with state and timers of their own need to work on every runner."""

import hashlib

from apache_beam.options.pipeline_options import DebugOptions, PipelineOptions


def keep_bundles_whole(options: PipelineOptions) -> None:
    """Has Prism leave bundles whole, as the other runners leave those with state.

    It splits any bundle that stands still for a tenth of a second or two, and lets the rest start
    beside it, also where both have rows or timers of the same key (Beam issue 35771). Both then
    see the same state, and rows are lost or come twice. Nobody but Prism knows this experiment.
    """
    options.view_as(DebugOptions).add_experiment("prism_disable_sdf_split")


def own_name(name: str, label: str) -> str:
    """Returns a timer's name that no other step has.

    FnApiRunner puts the timers of one name into one buffer, of whatever steps they are, and gives
    them all to the first that it comes to; what the others hold then stays in their state (Beam
    issue 21995). Of two steps with the same names, one lost all that it held.

    Args:
      name: The timer's.
      label: The full label of the step.
    """
    return f"{name}-{hashlib.blake2b(label.encode(), digest_size=8).hexdigest()}"
