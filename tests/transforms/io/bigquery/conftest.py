import pytest

from tests.integration.bigquery.server import Server


@pytest.fixture
def bigquery(monkeypatch):
    """A stand-in of BigQuery, to which the clients of this process talk."""
    monkeypatch.setattr("transforms.io.bigquery.patience._PAUSE_SECONDS", 0.001)
    with Server(page_rows=10).running() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
