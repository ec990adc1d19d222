"""Spares Beam work that it does again for each step while it builds and starts a pipeline.

Half of the time of a launch went into two questions whose answers don't change: which states and
timers a DoFn has (asked some eight times a step, each time by the signatures of all its methods),
and what a group of options says (each time by a parser made anew). Another half second or more went
into `pip freeze`, whose list Beam stages so that workers can say what differs from the launch.
"""

import importlib.metadata
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability import stager
from apache_beam.transforms import userstate

View = TypeVar("View", bound=PipelineOptions)
Specs = tuple[set[Any], set[Any]]

_look_up: Callable[[Any], Specs] = userstate.get_dofn_specs
_known: WeakKeyDictionary[type, Specs] = WeakKeyDictionary()


class RememberedOptions(PipelineOptions):
    """Beam's options that parse each group once.

    Views share the values of the options they are made of, so one view is as good as another.
    """

    def __init__(self, flags: list[str]) -> None:
        self.__dict__["_views"] = {}
        super().__init__(flags)

    def view_as(self, cls: type[View]) -> View:
        """Returns these options as a group."""
        if cls not in self._views:
            self._views[cls] = super().view_as(cls)
        view: View = self._views[cls]
        return view

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return state | {"_views": {}}


def specs_of(dofn: Any) -> Specs:
    """Returns the states and timers of a DoFn, by its class.

    A DoFn that has got methods of its own is looked at itself.
    """
    if any(isinstance(value, types.MethodType) for value in vars(dofn).values()):
        return _look_up(dofn)
    kind = type(dofn)
    if kind not in _known:
        _known[kind] = _look_up(dofn)
    states, timers = _known[kind]
    return set(states), set(timers)


def installed() -> str:
    """Returns the packages of this process and their versions, in lines as of `pip freeze`."""
    found = {one.name: one.version for one in importlib.metadata.distributions()}
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower))


def _list_of_packages(folder: str) -> list[Any]:
    """Returns the artifact that lists the packages of the launcher."""
    path = Path(folder) / stager.SUBMISSION_ENV_DEPENDENCIES_FILE
    path.write_text(f"Python Path: {sys.executable}\n{installed()}")
    return [stager.Stager._create_file_stage_to_artifact(str(path), path.name)]


def install() -> None:
    """Makes Beam ask once for each class of DoFn, and list packages in this process."""
    userstate.get_dofn_specs = specs_of
    stager.Stager._create_stage_submission_env_dependencies = staticmethod(_list_of_packages)
