"""The machine that a launcher runs on, as far as it asks: the metadata server of Compute Engine.

Google's clients find their credentials there, by the same requests as on a real machine.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_HEADER = "Metadata-Flavor"
_ACCOUNTS = "/computeMetadata/v1/instance/service-accounts/"


class _Handler(BaseHTTPRequestHandler):
    answers: dict[str, str]

    def do_GET(self) -> None:
        found = self.answers.get(self.path.partition("?")[0])
        body = (found or "").encode()
        self.send_response(404 if found is None else 200)
        self.send_header(_HEADER, "Google")
        text = "text" if not body.startswith(b"{") else "json"
        self.send_header("Content-Type", f"application/{text}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def metadata_server(project: str, account: str) -> Iterator[str]:
    """Serves what a launcher's machine knows of itself.

    Args:
      project: The project's id.
      account: The mail address of the service account.

    Yields: Its address, for GCE_METADATA_HOST.
    """
    who = {"aliases": ["default"], "email": account, "scopes": ["cloud-platform"]}
    token = {"access_token": "rehearsal", "expires_in": 3600, "token_type": "Bearer"}
    answers = {
        "/": "computeMetadata/",
        "/computeMetadata/v1/project/project-id": project,
        "/computeMetadata/v1/universe/universe-domain": "googleapis.com",
    }
    # Clients ask for the default account first, and by its address from then on.
    for name in ("default", account):
        answers[f"{_ACCOUNTS}{name}/"] = json.dumps(who)
        answers[f"{_ACCOUNTS}{name}/email"] = account
        answers[f"{_ACCOUNTS}{name}/token"] = json.dumps(token)
    handler = type("Handler", (_Handler,), {"answers": answers})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
