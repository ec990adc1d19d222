"""The service: DLP's methods by their names on the wire, each in a few lines over an engine."""

import time
from collections.abc import Callable
from typing import Any, Protocol

import grpc
from google.cloud.dlp_v2 import types
from google.protobuf import empty_pb2

from privacy.server import limits
from privacy.server.echo import Raw
from privacy.server.faults import HANG, REFUSALS, Trouble
from privacy.server.limits import Refused, check_findings, check_rules, check_size
from privacy.server.stored import StoredInfoTypes
from privacy.server.templates import Templates
from privacy.server.words import Words

SERVICE = "google.privacy.dlp.v2.DlpService"
_HANG = 3_600.0
_LATE = 0.5


class Engine(Protocol):
    """What finds and transforms; messages are DLP's own, plain."""

    def info_types(self) -> list[str]:
        """Returns the names of the infoTypes that it finds."""

    def inspect(self, item: Any, config: Any) -> list[Any]:
        """Returns findings."""

    def deidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any, int]:
        """Returns the item, the overview, and how many findings there were."""

    def reidentify(self, item: Any, inspect: Any, config: Any) -> tuple[Any, Any]:
        """Returns the item and the overview."""


UNREAD = ("DeidentifyContent", "ReidentifyContent")
"""Methods whose requests an echo does not read."""


class Service(grpc.GenericRpcHandler):
    """DLP's methods.

    Args:
      engine: What finds and transforms.
      trouble: What goes wrong on purpose.
      max_findings: Of a request.
      words: Reads the words of dictionaries; None finds them where the environment says.
    """

    def __init__(
        self,
        engine: Engine,
        trouble: Trouble,
        max_findings: int = limits.MAX_FINDINGS,
        words: Words | None = None,
    ) -> None:
        self._engine, self.trouble, self._max = engine, trouble, max_findings
        self._inspect, self._deidentify = Templates("inspect"), Templates("deidentify")
        self._words = words or Words()
        self._stored = StoredInfoTypes(self._words)
        self._stopped = False
        self._methods = {
            "InspectContent": (types.InspectContentRequest, self._content(self.inspect)),
            "DeidentifyContent": (types.DeidentifyContentRequest, self._content(self.deidentify)),
            "ReidentifyContent": (types.ReidentifyContentRequest, self._content(self.reidentify)),
            "ListInfoTypes": (types.ListInfoTypesRequest, self.list_info_types),
            **self._of_templates("Inspect", self._inspect),
            **self._of_templates("Deidentify", self._deidentify),
            **self._of_stored(),
        }

    def service(self, details: Any) -> Any:
        """Returns the handler of a method, or None for a method that this is not."""
        service, _, method = details.method.lstrip("/").partition("/")
        known = self._methods.get(method) if service == SERVICE else None
        if known is None:
            return None
        unread = getattr(self._engine, "unread", None)
        if unread is not None and method in UNREAD:
            return grpc.unary_unary_rpc_method_handler(
                _answering(self._content(unread)), request_deserializer=Raw
            )
        request, run = known
        return grpc.unary_unary_rpc_method_handler(
            _answering(run),
            request_deserializer=request.pb().FromString,
            response_serializer=lambda reply: reply.SerializeToString(),
        )

    def stop(self) -> None:
        """Lets calls that hang end."""
        self._stopped = True

    def inspect(self, request: Any) -> Any:
        """Answers InspectContent."""
        config = self._inspect_config(request)
        found = self._engine.inspect(request.item, config)
        asked = config.limits.max_findings_per_request or self._max
        reply = types.InspectContentResponse.pb()()
        reply.result.findings.extend(found[: min(asked, self._max)])
        reply.result.findings_truncated = len(found) > min(asked, self._max)
        return reply

    def deidentify(self, request: Any) -> Any:
        """Answers DeidentifyContent."""
        config = self._deidentify.merged(
            request.deidentify_template_name, request.deidentify_config, "deidentify_config"
        )
        inspect = self._inspect_config(request)
        item, overview, found = self._engine.deidentify(request.item, inspect, config)
        check_findings(found, self._max)
        return types.DeidentifyContentResponse.pb()(item=item, overview=overview)

    def reidentify(self, request: Any) -> Any:
        """Answers ReidentifyContent."""
        config = self._deidentify.merged(
            request.reidentify_template_name, request.reidentify_config, "deidentify_config"
        )
        inspect = self._inspect_config(request)
        item, overview = self._engine.reidentify(request.item, inspect, config)
        return types.ReidentifyContentResponse.pb()(item=item, overview=overview)

    def list_info_types(self, request: Any) -> Any:
        """Answers ListInfoTypes."""
        described = [{"name": name, "display_name": name} for name in self._engine.info_types()]
        return types.ListInfoTypesResponse.pb()(info_types=described)

    def _inspect_config(self, request: Any) -> Any:
        config = self._inspect.merged(
            request.inspect_template_name, request.inspect_config, "inspect_config"
        )
        check_rules(config)
        return self._words.resolved(self._stored.resolved(config))

    def _of_templates(self, kind: str, kept: Templates) -> dict[str, Any]:
        def delete(request: Any) -> Any:
            kept.delete(request.name)
            return empty_pb2.Empty()

        return {
            f"Create{kind}Template": (getattr(types, f"Create{kind}TemplateRequest"), kept.create),
            f"Update{kind}Template": (getattr(types, f"Update{kind}TemplateRequest"), kept.update),
            f"Get{kind}Template": (
                getattr(types, f"Get{kind}TemplateRequest"),
                lambda request: kept.get(request.name),
            ),
            f"List{kind}Templates": (getattr(types, f"List{kind}TemplatesRequest"), kept.list),
            f"Delete{kind}Template": (getattr(types, f"Delete{kind}TemplateRequest"), delete),
        }

    def _of_stored(self) -> dict[str, Any]:
        kept = self._stored

        def delete(request: Any) -> Any:
            kept.delete(request.name)
            return empty_pb2.Empty()

        return {
            "CreateStoredInfoType": (types.CreateStoredInfoTypeRequest, kept.create),
            "UpdateStoredInfoType": (types.UpdateStoredInfoTypeRequest, kept.update),
            "GetStoredInfoType": (
                types.GetStoredInfoTypeRequest,
                lambda request: kept.get(request.name),
            ),
            "ListStoredInfoTypes": (types.ListStoredInfoTypesRequest, kept.list),
            "DeleteStoredInfoType": (types.DeleteStoredInfoTypeRequest, delete),
        }

    def _content(self, run: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Puts limits, the quota and faults around a method that takes content."""

        def answer(request: Any) -> Any:
            call, allowed = self.trouble.next_call(request.ByteSize())
            kinds = self.trouble.of_call(call) if allowed else ["quota"]
            self._wait(self.trouble.latency + (_HANG if HANG in kinds else 0))
            for kind in kinds:
                if kind in REFUSALS:
                    raise Refused(*REFUSALS[kind])
            check_size(request)
            return _spoiled(run(request), kinds)

        return answer

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))


def _spoiled(reply: Any, kinds: list[str]) -> Any:
    """Spoils a reply as the faults of its call ask."""
    rows = reply.item.table.rows if hasattr(reply, "item") else []
    if "missing_row" in kinds and len(rows):
        del rows[len(rows) // 2]
    if "missing_cell" in kinds and len(rows):
        del rows[0].values[0]
    if "reordered" in kinds and len(rows) > 1:
        rows[0].CopyFrom(_swapped(rows))
    if "late" in kinds:
        time.sleep(_LATE)
    return reply


def _swapped(rows: Any) -> Any:
    """Puts the first row last, and returns what was last."""
    first, last = type(rows[0])(), type(rows[0])()
    first.CopyFrom(rows[0])
    last.CopyFrom(rows[-1])
    rows[-1].CopyFrom(first)
    return last


def _answering(run: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def answer(request: Any, context: Any) -> Any:
        try:
            return run(request)
        except Refused as refused:
            return context.abort(refused.code, refused.message)

    return answer
