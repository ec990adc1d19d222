"""The metadata server of a rehearsal, by Google's own client."""

from google.auth.compute_engine import Credentials
from google.auth.transport.requests import Request

from beam_jobs.rehearsal.machine import metadata_server

ACCOUNT = "launcher@my-project.iam.gserviceaccount.com"


def test_credentials_are_refreshed_again_and_again(monkeypatch):
    """From the second time on the client asks by the account's address."""
    with metadata_server("my-project", ACCOUNT) as host:
        # It has read its environment already.
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", host)
        credentials = Credentials()
        for _ in range(2):
            credentials.refresh(Request())
            assert credentials.token == "rehearsal"
            assert credentials.service_account_email == ACCOUNT
