"""A server of this process: started, asked for its address, stopped."""

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import grpc

from privacy.server.faults import Trouble
from privacy.server.limits import MAX_FINDINGS
from privacy.server.service import Engine, Service
from privacy.server.words import Words
from transforms.errors import ConfigError

_SIZE = 64 << 20
"""Larger messages than DLP's are taken in, so that the limit is answered as DLP answers it."""


class Server:
    """The emulator, in threads of this process.

    Args:
      engine: What finds and transforms.
      trouble: What goes wrong on purpose.
      port: 0 takes any that is free.
      host: Where it listens.
      threads: How many calls are answered at once.
      max_findings: Of a request.
      storage: A folder that stands for Cloud Storage; see `Words`.

    Raises:
      ConfigError: The port is taken.
    """

    def __init__(
        self,
        engine: Engine,
        trouble: Trouble | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        threads: int = 32,
        max_findings: int = MAX_FINDINGS,
        storage: str | None = None,
    ) -> None:
        self.trouble = trouble or Trouble()
        self._service = Service(engine, self.trouble, max_findings, Words(storage))
        self._pool = ThreadPoolExecutor(threads, "dlp-server")
        options = [("grpc.max_receive_message_length", _SIZE), ("grpc.so_reuseport", 0)]
        self._server = grpc.server(self._pool, handlers=[self._service], options=options)
        try:
            self.port = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError:
            raise ConfigError(f"--port={port}: another process listens there") from None
        self.address = f"{host}:{self.port}"
        self._server.start()

    def wait(self) -> None:
        """Waits until the server is stopped."""
        self._server.wait_for_termination()

    def stop(self) -> None:
        """Stops it; calls that hang are ended."""
        self._service.stop()
        self._server.stop(None).wait()
        self._pool.shutdown()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
