"""Values planted in rows, and everything that a run leaves or says."""

import base64
import logging
import pathlib
import re

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

PLANTED = (
    "bob@example.com",
    "BOB@EXAMPLE.COM",
    "amy@example.org",
    "AMY@EXAMPLE.ORG",
    "4111111111111111",
    "555-0132",
)
POLICY = """
engine: local
columns: {structured: [card], free_text: [name, note]}
inspect_config:
  info_types: [{name: EMAIL_ADDRESS}, {name: PHONE_NUMBER}, {name: CREDIT_CARD_NUMBER}]
deidentify_config:
  info_type_transformations:
    transformations:
      - info_types: [{name: CREDIT_CARD_NUMBER}]
        primitive_transformation: {character_mask_config: {number_to_mask: -4}}
      - primitive_transformation: {replace_with_info_type_config: {}}
"""
ROWS = (
    "id,x,y,name,card,note",
    "1,1.5,2,bob@example.com,4111111111111111,write to bob@example.com",
    "2,bob@example.com,2,bob,,not a number",
    "3,3,4,ragged,4111111111111111,(415) 555-0132,amy@example.org",
    "4,13,1,amy@example.org,4111111111111111,the model raises (415) 555-0132",
    "5,,1,eve,4111111111111111,x is missing amy@example.org",
    "6,0.25,1,f,,bad amy@example.org",
    "7,2,2,g,4111111111111111,fine",
)


def readable(path):
    """Returns all that a file holds as text; packed formats are unpacked."""
    try:
        if path.suffix == ".parquet":
            return str(pq.read_table(path).to_pylist()) + str(pq.read_schema(path).metadata)
        if path.suffix == ".arrow":
            return str(pa.ipc.open_file(path).read_all().to_pylist())
    except pa.ArrowInvalid:
        pass
    text = path.read_bytes().decode(errors="replace")
    payloads = re.findall('"payloadBytes": ?"([^"]+)"', text)
    return text + str([base64.b64decode(payload) for payload in payloads])


def leaks(folder, but=(), said=""):
    """Returns where planted values are: files of a folder, or what was said."""
    files = [p for p in pathlib.Path(folder).rglob("*") if p.is_file() and p not in but]
    texts = {str(path): readable(path) for path in files}
    texts["said"] = said
    assert files
    return {
        place: [value for value in PLANTED if value in text]
        for place, text in texts.items()
        if any(value in text for value in PLANTED)
    }


class Watch:
    """Keeps what a run in this process says: its streams, its log, its metrics."""

    def __init__(self, monkeypatch, capfd, caplog):
        self._capfd, self._caplog, self._metrics = capfd, caplog, []
        self._told = ""
        run = beam.Pipeline.run

        def watched(root, *args, **kwargs):
            result = run(root, *args, **kwargs)
            self._metrics.append(result)
            return result

        monkeypatch.setattr(beam.Pipeline, "run", watched)
        # At DEBUG Beam itself writes whatever it processes.
        caplog.set_level(logging.INFO)

    def said(self):
        """Returns all of it, since the beginning."""
        seen = self._capfd.readouterr()
        self._told += seen.out + seen.err
        metrics = [str(result.metrics().query()) for result in self._metrics]
        return self._told + self._caplog.text + "".join(metrics)

    @property
    def counted(self):
        """Whether metrics were looked at."""
        return bool(self._metrics)
