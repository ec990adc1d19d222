"""Cloud DLP's quick start, without an account: a JSON request, the official client, the emulator.

    python -m privacy.server --port 8086 &
    DLP_EMULATOR_HOST=127.0.0.1:8086 python -m examples.dlp_quick_start

The same requests go to Google where `connect` gives `dlp_v2.DlpServiceClient()`.
"""

import os
from typing import Any

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import dlp_v2

PARENT = "projects/local-test"

INSPECT = """
{
  "item": {"value": "Ring me at (415) 555-0132 or write to ada@example.com."},
  "inspectConfig": {
    "infoTypes": [{"name": "PHONE_NUMBER"}, {"name": "EMAIL_ADDRESS"}],
    "minLikelihood": "POSSIBLE",
    "includeQuote": true
  }
}
"""

REDACT = """
{
  "item": {"value": "Ring me at (415) 555-0132 or write to ada@example.com."},
  "inspectConfig": {"infoTypes": [{"name": "PHONE_NUMBER"}, {"name": "EMAIL_ADDRESS"}]},
  "deidentifyConfig": {
    "infoTypeTransformations": {
      "transformations": [{"primitiveTransformation": {"replaceWithInfoTypeConfig": {}}}]
    }
  }
}
"""


def connect(address: str) -> Any:
    """Returns the official client, which talks to the emulator at an address."""
    transport = dlp_v2.DlpServiceClient.get_transport_class("grpc")
    channel = grpc.insecure_channel(address)
    return dlp_v2.DlpServiceClient(
        transport=transport(channel=channel, credentials=AnonymousCredentials())
    )


def inspect(client: Any, request: str) -> list[tuple[str, str, str]]:
    """Returns what a request finds: the infoType, how likely it is, and the text."""
    message = dlp_v2.InspectContentRequest.from_json(request)
    message.parent = PARENT
    found = client.inspect_content(request=message).result.findings
    return [(each.info_type.name, each.likelihood.name, each.quote) for each in found]


def redact(client: Any, request: str) -> str:
    """Returns the text of a request without what was found in it."""
    message = dlp_v2.DeidentifyContentRequest.from_json(request)
    message.parent = PARENT
    return str(client.deidentify_content(request=message).item.value)


def main() -> None:
    """Inspects and redacts."""
    client = connect(os.environ.get("DLP_EMULATOR_HOST", "127.0.0.1:8086"))
    for name, likelihood, quote in inspect(client, INSPECT):
        print(f"{name:<16} {likelihood:<12} {quote}")
    print(redact(client, REDACT))


if __name__ == "__main__":
    main()
