"""Keys are rotated: new tokens are of the new key, and old ones are still taken back."""

import base64
import os
import pathlib
import re
import subprocess

import pyarrow as pa
import pytest

from privacy import redact_batch, reidentify_batch
from privacy.cloud.settings import EMULATOR
from privacy.policy.read import parse_policy
from privacy.policy.reverse import reversing
from tests.privacy.cloud.support import emulator
from tests.support import ROOT
from transforms.errors import ConfigError

POLICY = """
engine: {engine}
inspect_config: {{info_types: [{{name: PHONE_NUMBER}}, {{name: EMAIL_ADDRESS}}]}}
deidentify_config:
  info_type_transformations:
    transformations:
    - info_types: [{{name: PHONE_NUMBER}}]
      primitive_transformation: &phone
        crypto_replace_ffx_fpe_config:
          crypto_key: "env:KEY_{year}"
          common_alphabet: NUMERIC
          surrogate_info_type: {{name: PHONE_{year}}}
    - info_types: [{{name: EMAIL_ADDRESS}}]
      primitive_transformation:
        crypto_deterministic_config:
          crypto_key: "env:KEY_{year}"
          surrogate_info_type: {{name: MAIL_{year}}}
"""
RETIRED = """
retired:
- primitive_transformation:
    crypto_replace_ffx_fpe_config:
      crypto_key: "env:KEY_2025"
      common_alphabet: NUMERIC
      surrogate_info_type: {name: PHONE_2025}
- primitive_transformation:
    crypto_deterministic_config:
      crypto_key: "env:KEY_2025"
      surrogate_info_type: {name: MAIL_2025}
"""
ROWS = pa.record_batch({"note": ["My phone is 4155550132.", "write to ann@example.com", None]})


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    for year in (2025, 2026):
        monkeypatch.setenv(f"KEY_{year}", base64.b64encode(os.urandom(32)).decode())


def policy(year, *, retired=False, engine="local"):
    return parse_policy(POLICY.format(year=year, engine=engine) + (RETIRED if retired else ""))


def hidden(year):
    made, rejects = redact_batch(ROWS, policy(year))
    assert rejects.num_rows == 0
    assert f"PHONE_{year}(" in made["note"][0].as_py()
    return made


def both():
    """Rows of before and after the rotation."""
    table = pa.Table.from_batches([hidden(2025), hidden(2026)]).combine_chunks()
    return pa.RecordBatch.from_arrays([table["note"].chunk(0)], names=["note"])


def test_tokens_of_both_keys_are_taken_back():
    back, rejects = reidentify_batch(both(), policy(2026, retired=True))
    assert rejects.num_rows == 0
    assert back["note"].to_pylist() == ROWS["note"].to_pylist() * 2


def test_through_the_cloud_engine_too(monkeypatch):
    with emulator() as server:
        monkeypatch.setenv(EMULATOR, server.address)
        made, rejects = reidentify_batch(both(), policy(2026, retired=True, engine="cloud"))
    assert rejects.num_rows == 0
    assert made["note"].to_pylist() == ROWS["note"].to_pylist() * 2


def test_without_the_old_key_old_tokens_stay():
    back, rejects = reidentify_batch(both(), policy(2026))
    assert rejects.num_rows == 0
    assert back["note"].to_pylist()[3:] == ROWS["note"].to_pylist()
    assert back["note"].to_pylist()[:2] == both()["note"].to_pylist()[:2]


def test_a_retired_transformation_is_not_applied():
    made, _ = redact_batch(ROWS, policy(2026, retired=True))
    assert "2025" not in str(made.to_pylist())


def test_mistakes_are_named():
    lists = POLICY.format(year=2026, engine="local")
    with pytest.raises(ConfigError, match="retired must be a list"):
        parse_policy(f"{lists}\nretired: {{a: 1}}")
    bare = "retired: [{primitive_transformation: {redact_config: {}}}]"
    with pytest.raises(ConfigError, match="with a surrogate_info_type can be taken back"):
        reversing(parse_policy(f"{lists}\n{bare}"))
    same = RETIRED.replace("PHONE_2025", "PHONE_2026")
    with pytest.raises(ConfigError, match="PHONE_2026 is the surrogate of two keys"):
        reversing(parse_policy(lists + same))
    cells = """
deidentify_config:
  record_transformations:
    field_transformations:
    - fields: [{name: card}]
      primitive_transformation:
        crypto_replace_ffx_fpe_config: {crypto_key: "env:KEY_2026", common_alphabet: NUMERIC}
"""
    with pytest.raises(ConfigError, match="the policy transforms whole cells only"):
        reversing(parse_policy(cells + RETIRED))


def test_the_commands_of_the_guide_make_keys(tmp_path, monkeypatch):
    """Those of openssl are run; gcloud's need an account."""
    guide = pathlib.Path(ROOT, "docs/privacy.md").read_text()
    section = guide[guide.index("## Keys") :]
    commands = [line for line in re.findall(r"^openssl .*$", section, re.M) if "|" not in line]
    assert len(commands) == 2
    for command in commands:
        subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True)
    made = [path.read_text() for path in sorted(tmp_path.glob("*.key"))]
    assert len(made) == len(set(made)) == 2
    for key in made:
        assert len(base64.b64decode(key)) == 32
    for year, path in zip((2025, 2026), sorted(tmp_path.glob("*.key")), strict=True):
        monkeypatch.setenv(f"KEY_{year}", path.read_text().strip())
    back, _ = reidentify_batch(both(), policy(2026, retired=True))
    assert back["note"].to_pylist() == ROWS["note"].to_pylist() * 2
