"""A policy that encrypts a column of numbers, and what it makes of them, known without DLP."""

import base64
import contextlib

import numpy as np
import pyarrow as pa

from privacy.cloud.engine import CloudEngine
from privacy.cloud.policies import cloud_policy
from privacy.crypto import ff1
from privacy.policy.read import policy_of
from privacy.server.faults import Trouble, parse_fault
from privacy.server.local import LocalEngine
from privacy.server.serve import Server

KEY = bytes(range(32))
SCHEMA = pa.schema([("id", pa.int64()), ("card", pa.string()), ("note", pa.string())])
KEY_TEXT = base64.b64encode(KEY).decode()
FPE = {
    "crypto_replace_ffx_fpe_config": {
        "crypto_key": f"base64:{KEY_TEXT}",
        "common_alphabet": "NUMERIC",
    }
}


def fields(*transformations):
    """A config of record transformations: pairs of a field and what is done to it."""
    made = [{"fields": [{"name": n}], "primitive_transformation": t} for n, t in transformations]
    return {"record_transformations": {"field_transformations": made}}


ENCRYPT = fields(("card", FPE))


def batch(rows, start=0):
    numbers = range(start, start + rows)
    return pa.record_batch(
        [
            pa.array(numbers, pa.int64()),
            pa.array([None if i % 11 == 3 else f"{i * 7919:016d}" for i in numbers], pa.string()),
            pa.array([f"note {i}" for i in numbers]),
        ],
        schema=SCHEMA,
    )


def encrypted(given):
    made, _ = ff1.encrypt(given.column("card"), KEY, None, "0123456789")
    return given.set_column(1, "card", made)


@contextlib.contextmanager
def emulator(*faults, engine=None, max_findings=3_000, storage=None, **trouble):
    made = Trouble([parse_fault(x) for x in faults], **trouble)
    engine = engine or LocalEngine()
    with Server(engine, made, max_findings=max_findings, storage=storage) as server:
        yield server


@contextlib.contextmanager
def cloud(server, config=ENCRYPT, schema=SCHEMA, inspect=None, **options):
    """The engine on the emulator; it waits for nothing between its tries."""
    content = {"engine": "cloud", "inspect_config": inspect, "deidentify_config": config}
    policy = policy_of(content)
    options = {"per_minute": 600_000, "in_flight": 4, **options}
    made = cloud_policy(policy, "p", schema, endpoint=server.address, insecure=True, **options)
    engine = CloudEngine(made)
    engine.caller.sleep = lambda seconds: None
    try:
        yield engine
    finally:
        engine.close()


def conserved(given, result):
    """Whether each row is somewhere."""
    rows = result.rows.num_rows + result.rejects.num_rows + result.suppressed
    return rows == given.num_rows and np.all(np.diff(result.rows.column("id")) > 0)
