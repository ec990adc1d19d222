"""A connection to a stream of the Storage Write API: requests and answers side by side."""

import queue
import time
from typing import Any, Protocol
from urllib.parse import quote

from google.api_core import exceptions

WAIT_SECONDS = 600.0
"""After so long without its end a connection is given up: the service may be gone unseen."""
FRESH_SECONDS = 240.0
"""A connection is replaced after so long; the service itself ends those that stand idle."""


class Line(Protocol):
    """Takes requests, and answers them in their order."""

    def send(self, request: Any) -> None:
        """Sends a request, without waiting for its answer."""

    def receive(self) -> Any:
        """Returns the next answer.

        Raises:
          GoogleAPICallError: The connection broke.
        """

    def close(self) -> None:
        """Ends the connection."""

    @property
    def fresh(self) -> bool:
        """Whether it may be used for further rows."""


class Connection:
    """One call of AppendRows.

    Args:
      client: Google's `BigQueryWriteClient`.
      stream: The stream that its requests are for.
    """

    def __init__(self, client: Any, stream: str) -> None:
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._opened = time.monotonic()
        # The client's own method would wait for the first answer before there is a request.
        self._call = client.transport.append_rows(
            iter(self._requests.get, None),
            metadata=(("x-goog-request-params", f"write_stream={quote(stream)}"),),
            timeout=WAIT_SECONDS,
        )

    @property
    def fresh(self) -> bool:
        """Whether it is young enough for further rows."""
        return time.monotonic() - self._opened < FRESH_SECONDS

    def send(self, request: Any) -> None:
        """Sends a request, without waiting for its answer."""
        self._requests.put(request)

    def receive(self) -> Any:
        """Returns the next answer.

        Raises:
          GoogleAPICallError: The connection broke, or was ended by the service.
        """
        import grpc

        try:
            return next(self._call)
        except StopIteration:
            why = "the service ended the connection"
            raise exceptions.ServiceUnavailable(why) from None  # type: ignore[no-untyped-call]
        except grpc.RpcError as error:
            raise exceptions.from_grpc_error(error) from None  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Ends the connection."""
        self._requests.put(None)
        self._call.cancel()
