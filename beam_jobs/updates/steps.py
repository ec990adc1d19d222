"""The steps of a graph as Beam describes it, for a comparison of two versions."""

from typing import Any

from beam_jobs.updates.compare import Step

_GROUPS = "beam:transform:group_by_key:v1"
_PARDO = "beam:transform:pardo:v1"
_KEEPS = (_GROUPS, "beam:transform:pubsub_read:v1", "beam:transform:reshuffle:v1")


def steps_of(pipeline: Any) -> dict[str, Step]:
    """Returns the steps of a pipeline's proto that hold no others, by their unique names."""
    parts = pipeline.components
    makers = {
        collection: step.unique_name
        for step in parts.transforms.values()
        if not step.subtransforms
        for collection in step.outputs.values()
    }
    return {
        step.unique_name: _step(step, parts, makers)
        for step in parts.transforms.values()
        if not step.subtransforms and step.unique_name
    }


def _step(step: Any, parts: Any, makers: dict[str, str]) -> Step:
    outputs = [parts.pcollections[name] for name in step.outputs.values()]
    state = _state(step, parts)
    return Step(
        name=step.unique_name,
        kind=step.spec.urn,
        inputs=tuple(sorted(makers.get(name, "") for name in step.inputs.values())),
        coders=tuple(sorted(coder_words(output.coder_id, parts) for output in outputs)),
        window=", ".join(
            sorted({_window(output.windowing_strategy_id, parts) for output in outputs})
        ),
        state=state,
        keeps=bool(state) or step.spec.urn in _KEEPS,
    )


def _state(step: Any, parts: Any) -> tuple[tuple[str, str], ...]:
    """Returns the states and timers of a step with code, in words."""
    from apache_beam.portability.api import beam_runner_api_pb2 as api

    if step.spec.urn != _PARDO:
        return ()
    payload = api.ParDoPayload.FromString(step.spec.payload)
    found = {}
    for name, spec in payload.state_specs.items():
        kind = spec.WhichOneof("spec")
        inner = getattr(spec, kind)
        fields = [f.name for f in inner.DESCRIPTOR.fields if f.name.endswith("coder_id")]
        coders = [coder_words(getattr(inner, field), parts) for field in fields]
        found[name] = f"{kind.removesuffix('_spec')} of {', '.join(coders)}"
    for name, timer in payload.timer_family_specs.items():
        found[name] = f"timer of {coder_words(timer.timer_family_coder_id, parts)}"
    return tuple(sorted(found.items()))


def coder_words(coder: str, parts: Any) -> str:
    """Returns a coder in words, with those that it is made of."""
    found = parts.coders[coder]
    inner = [coder_words(part, parts) for part in found.component_coder_ids]
    name = found.spec.urn.removeprefix("beam:coder:").removesuffix(":v1")
    return f"{name}({', '.join(inner)})" if inner else name


def _window(strategy: str, parts: Any) -> str:
    """Returns how elements are windowed, in words: kind, length, lateness."""
    found = parts.windowing_strategies[strategy]
    name = found.window_fn.urn.removeprefix("beam:window_fn:").removesuffix(":v1")
    size = found.window_fn.payload.hex()
    # What is in our own kinds of windows is pickled code, which is no setting.
    shown = f" {size}" if found.window_fn.urn.startswith("beam:window_fn:fixed") else ""
    late = f", {found.allowed_lateness} ms late" if found.allowed_lateness else ""
    return f"{name}{shown}{late}"
