"""The emulator as Google's own client sees it, unchanged."""

import json
import os
import signal
import subprocess
import sys

import grpc
import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import dlp_v2

from privacy.server import __main__ as command
from privacy.server.local import LocalEngine
from tests.privacy.cloud.support import FPE, KEY, emulator
from tests.support import ROOT

PARENT = "projects/p/locations/global"
EMAILS = {"info_types": [{"name": "EMAIL_ADDRESS"}], "include_quote": True}
NAMES = {
    "info_type_transformations": {
        "transformations": [{"primitive_transformation": {"replace_with_info_type_config": {}}}]
    }
}


def official(address):
    transport = dlp_v2.DlpServiceClient.get_transport_class("grpc")
    return dlp_v2.DlpServiceClient(
        transport=transport(
            channel=grpc.insecure_channel(address), credentials=AnonymousCredentials()
        )
    )


@pytest.fixture
def client():
    with emulator() as server, official(server.address) as client:
        client.server = server
        yield client


def test_a_json_string_inspected_and_redacted(client):
    text = json.dumps({"name": "Ann", "mail": "ann@example.com", "note": "é"}, ensure_ascii=False)
    item = {"value": text}
    reply = client.inspect_content(
        request={"parent": PARENT, "inspect_config": EMAILS, "item": item}
    )
    (finding,) = reply.result.findings
    assert finding.quote == "ann@example.com"
    place = finding.location.codepoint_range
    assert text[place.start : place.end] == "ann@example.com"
    assert finding.likelihood == dlp_v2.Likelihood.VERY_LIKELY
    made = client.deidentify_content(
        request={
            "parent": PARENT,
            "inspect_config": EMAILS,
            "deidentify_config": NAMES,
            "item": item,
        }
    )
    assert json.loads(made.item.value)["mail"] == "[EMAIL_ADDRESS]"
    assert made.overview.transformation_summaries[0].results[0].count == 1


def test_templates(client):
    made = client.create_inspect_template(
        request={
            "parent": PARENT,
            "template_id": "mails",
            "inspect_template": {"display_name": "Mails", "inspect_config": EMAILS},
        }
    )
    assert made.name == f"{PARENT}/inspectTemplates/mails"
    assert client.get_inspect_template(name=made.name).display_name == "Mails"
    names = client.create_deidentify_template(
        request={"parent": PARENT, "deidentify_template": {"deidentify_config": NAMES}}
    ).name
    reply = client.deidentify_content(
        request={
            "parent": PARENT,
            "inspect_template_name": made.name,
            "deidentify_template_name": names,
            "item": {"value": "to a@example.com"},
        }
    )
    assert reply.item.value == "to [EMAIL_ADDRESS]"
    for i in range(5):
        client.create_inspect_template(
            request={"parent": PARENT, "template_id": f"t{i}", "inspect_template": {}}
        )
    pages = client.list_inspect_templates(request={"parent": PARENT, "page_size": 4})
    assert [x.name.split("/")[-1] for x in pages] == ["mails", "t0", "t1", "t2", "t3", "t4"]
    client.delete_inspect_template(name=made.name)
    with pytest.raises(exceptions.NotFound):
        client.get_inspect_template(name=made.name)
    with pytest.raises(exceptions.AlreadyExists):
        client.create_inspect_template(
            request={"parent": PARENT, "template_id": "t1", "inspect_template": {}}
        )


def test_info_types(client):
    names = {x.name for x in client.list_info_types(request={}).info_types}
    assert {"EMAIL_ADDRESS", "CREDIT_CARD_NUMBER", "IBAN_CODE"} <= names


def test_fields_there_and_back(client):
    key = {"unwrapped": {"key": KEY}}
    config = {
        "record_transformations": {
            "field_transformations": [
                {
                    "fields": [{"name": "card"}],
                    "primitive_transformation": {
                        "crypto_replace_ffx_fpe_config": {
                            **FPE["crypto_replace_ffx_fpe_config"],
                            "crypto_key": key,
                        }
                    },
                }
            ]
        }
    }
    item = {
        "table": {
            "headers": [{"name": "card"}, {"name": "n"}],
            "rows": [{"values": [{"string_value": "4359916732"}, {"integer_value": 7}]}],
        }
    }
    hidden = client.deidentify_content(
        request={"parent": PARENT, "deidentify_config": config, "item": item}
    ).item
    (row,) = hidden.table.rows
    assert row.values[0].string_value not in ("", "4359916732")
    assert row.values[1].integer_value == 7
    back = client.reidentify_content(
        request={"parent": PARENT, "reidentify_config": config, "item": hidden}
    ).item
    assert back.table.rows[0].values[0].string_value == "4359916732"


def test_limits(client):
    ask = client.inspect_content
    with pytest.raises(exceptions.InvalidArgument, match="exceeds the limit"):
        ask(request={"parent": PARENT, "inspect_config": EMAILS, "item": {"value": "x" * 530_000}})
    rows = [{"values": [{}] * 10}] * 5_001
    table = {"headers": [{"name": str(i)} for i in range(10)], "rows": rows}
    with pytest.raises(exceptions.InvalidArgument, match="50000 table values"):
        ask(request={"parent": PARENT, "inspect_config": EMAILS, "item": {"table": table}})
    many = " ".join(f"a{i}@example.com" for i in range(3_001))
    asked = {"parent": PARENT, "inspect_config": {**EMAILS, "include_quote": False}}
    reply = ask(request={**asked, "item": {"value": many}})
    assert reply.result.findings_truncated
    assert len(reply.result.findings) == 3_000
    with pytest.raises(exceptions.InvalidArgument, match="Retry with a smaller request"):
        client.deidentify_content(
            request={**asked, "deidentify_config": NAMES, "item": {"value": many}}
        )


def test_what_it_can_not_do_is_said(client):
    with pytest.raises(
        exceptions.InvalidArgument,
        match=r"the emulator can.t do(.|\n)*PERSON_NAME.*needs a model; start the emulator with",
    ):
        client.inspect_content(
            request={
                "parent": PARENT,
                "inspect_config": {"info_types": [{"name": "PERSON_NAME"}]},
                "item": {"value": "Ann"},
            }
        )
    with pytest.raises(exceptions.MethodNotImplemented):
        client.create_dlp_job(request={"parent": PARENT})


def test_a_quota():
    with emulator(quota=3) as server, official(server.address) as client:
        ask = {"parent": PARENT, "inspect_config": EMAILS, "item": {"value": "x"}}
        for _ in range(3):
            client.inspect_content(request=ask)
        with pytest.raises(exceptions.ResourceExhausted, match="Quota exceeded"):
            client.inspect_content(request=ask)


def test_from_the_command_line():
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "privacy.server", "--port=0", "--fault=unavailable:first=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env) as process:
        line = process.stdout.readline()
        address = line.split()[-1]
        with official(address) as client:
            reply = client.inspect_content(
                request={
                    "parent": PARENT,
                    "inspect_config": EMAILS,
                    "item": {"value": "a@example.com"},
                }
            )
        assert len(reply.result.findings) == 1
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "2 calls" in rest


def test_the_engine_is_the_local_one():
    assert LocalEngine().info_types()


def test_a_function_finds_what_needs_a_model(tmp_path):
    (tmp_path / "names.py").write_text(
        "def find(texts):\n    return [[(t.index('Ann'), t.index('Ann') + 3)] for t in texts]\n"
    )
    engine = command._local([f"PERSON_NAME={tmp_path}/names.py:find"])
    asked = {"info_types": [{"name": "PERSON_NAME"}], "include_quote": True}
    with emulator(engine=engine) as server, official(server.address) as client:
        reply = client.inspect_content(
            request={"parent": PARENT, "inspect_config": asked, "item": {"value": "to Ann"}}
        )
        names = [each.name for each in client.list_info_types(parent="locations/global").info_types]
    assert [each.quote for each in reply.result.findings] == ["Ann"]
    assert "PERSON_NAME" in names
    for wrong in ("PERSON_NAME", "PERSON_NAME=no_module:find"):
        assert command.main(["--port=0", f"--detector={wrong}"]) == 2
