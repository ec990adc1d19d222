"""The connection: the official client's own channel, which takes and gives plain messages.

The client's methods wrap every message and write it to the log at level DEBUG: at a third of the
speed, and with the values in it. So requests go over its channel directly.
"""

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.api_core import gapic_v1
from google.cloud.dlp_v2 import types

from privacy.cloud.settings import CloudPolicy

SERVICE = "/google.privacy.dlp.v2.DlpService/"
REPLIES: Mapping[str, Any] = {
    "DeidentifyContent": types.DeidentifyContentResponse,
    "ReidentifyContent": types.ReidentifyContentResponse,
    "InspectContent": types.InspectContentResponse,
}
AS_BYTES = ("DeidentifyContent", "ReidentifyContent")
"""Methods whose replies are given as the bytes that they are."""
OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]

Call = Callable[[str, Any, float], Any]
"""Method, request and seconds to wait: gives the reply, or raises grpc.RpcError."""


class Connection:
    """A client of DLP.

    Args:
      policy: Says where the service is.
    """

    def __init__(self, policy: CloudPolicy) -> None:
        self.client = client(policy)
        channel = self.client.transport.grpc_channel
        routing = gapic_v1.routing_header.to_grpc_metadata(  # type: ignore[no-untyped-call]
            (("parent", policy.parent),)
        )
        self._metadata = [routing]
        self._methods: Mapping[str, Any] = {
            name: channel.unary_unary(
                SERVICE + name,
                request_serializer=_as_bytes,
                response_deserializer=None if name in AS_BYTES else reply.pb().FromString,
            )
            for name, reply in REPLIES.items()
        }

    def call(self, method: str, request: Any, timeout: float) -> Any:
        """Sends one request and returns the reply.

        Raises:
          grpc.RpcError: The service refused, or did not answer within `timeout` seconds.
        """
        return self._methods[method](request, timeout=timeout, metadata=self._metadata)

    def close(self) -> None:
        """Closes the channel."""
        self.client.transport.close()


def _as_bytes(request: Any) -> bytes:
    whole: bytes = request if isinstance(request, bytes) else request.SerializeToString()
    return whole


def client(policy: CloudPolicy) -> Any:
    """Returns the official client, for the endpoint of a policy."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import dlp_v2

    if not policy.is_plain:
        return dlp_v2.DlpServiceClient(client_options={"api_endpoint": policy.address})
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    transport = dlp_v2.DlpServiceClient.get_transport_class("grpc")
    channel = grpc.insecure_channel(policy.address, options=OPTIONS)
    return dlp_v2.DlpServiceClient(transport=transport(channel=channel, credentials=anonymous))
