"""What the emulator makes of content, asked by Google's own client."""

import base64
import json
import re

import pytest
from google.api_core import exceptions
from google.cloud import dlp_v2
from google.protobuf import json_format

from privacy.detectors.table import NEED_A_MODEL
from tests.privacy.cloud.support import emulator
from tests.privacy.local.test_behaviour import cases, check
from tests.privacy.policies import KEY
from tests.privacy.server.test_server import PARENT, official
from tests.support import shared_data

CRYPTO = {"unwrapped": {"key": KEY}}


@pytest.fixture(scope="module")
def client():
    with emulator() as server, official(server.address) as made:
        yield made


def ask(client, method, **request):
    """Sends a request in DLP's JSON form, and returns the reply in it."""
    kinds = {
        "inspect": (dlp_v2.InspectContentRequest, client.inspect_content),
        "deidentify": (dlp_v2.DeidentifyContentRequest, client.deidentify_content),
        "reidentify": (dlp_v2.ReidentifyContentRequest, client.reidentify_content),
    }
    kind, call = kinds[method]
    message = json_format.ParseDict({"parent": PARENT, **request}, kind.pb()())
    return call(request=kind.wrap(message))


def cells(item):
    if item.table.rows:
        return [[_text(value) for value in row.values] for row in item.table.rows]
    return [[item.value]]


def _text(value):
    kind = dlp_v2.Value.pb(value).WhichOneof("type")
    return str(getattr(value, kind)) if kind else None


def table(names, rows):
    kinds = {str: "string_value", int: "integer_value", float: "float_value"}
    return {
        "table": {
            "headers": [{"name": name} for name in names],
            "rows": [
                {"values": [{} if x is None else {kinds[type(x)]: x} for x in row]} for row in rows
            ],
        }
    }


@pytest.mark.parametrize("case", cases(), ids=lambda case: case and case["id"])
def test_behaviour(client, case):
    asked = {each["name"] for each in case.get("inspect_config", {}).get("info_types", ())}
    if asked & NEED_A_MODEL:
        pytest.skip(f"needs a model of {', '.join(sorted(asked))}")
    configs = ("item", "inspect_config", "deidentify_config", "reidentify_config")
    reply = ask(client, case["method"], **{k: case[k] for k in configs if k in case})
    if case["method"] == "inspect":
        got = [
            {"info_type": x.info_type.name, "quote": x.quote, "likelihood": x.likelihood.name}
            for x in reply.result.findings
        ]
    else:
        got = cells(reply.item)
    check(case, got)


def field(name, primitive, **more):
    return {"fields": [{"name": name}], "primitive_transformation": primitive, **more}


def records(*fields, **more):
    return {"record_transformations": {"field_transformations": list(fields), **more}}


KINDS = {
    "crypto_deterministic_config": {},
    "crypto_replace_ffx_fpe_config": {"common_alphabet": "NUMERIC"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", ["", "id"])
def test_whole_fields_there_and_back(client, kind, context):
    config = {"crypto_key": CRYPTO, **KINDS[kind]}
    if context:
        config["context"] = {"name": context}
    item = table(["id", "card"], [[1, "4359916732"], [2, "4359916732"], [3, None]])
    rules = records(field("card", {kind: config}))
    hidden = ask(client, "deidentify", item=item, deidentify_config=rules).item
    tokens = [row[1] for row in cells(hidden)]
    assert tokens[2] is None
    assert (tokens[0] == tokens[1]) == (not context)
    shown = json_format.MessageToDict(dlp_v2.ContentItem.pb(hidden))
    back = ask(client, "reidentify", item=shown, reidentify_config=rules).item
    assert cells(back) == [["1", "4359916732"], ["2", "4359916732"], ["3", None]]


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_in_texts_there_and_back(client, kind):
    primitive = {
        kind: {"crypto_key": CRYPTO, "surrogate_info_type": {"name": "TOK"}, **KINDS[kind]}
    }
    both = {"info_types": [{"name": "PHONE_NUMBER"}], "primitive_transformation": primitive}
    text = "call 4155550132 (phone) or phone 2125550187, é!"
    hidden = ask(
        client,
        "deidentify",
        item={"value": text},
        inspect_config={"info_types": [{"name": "PHONE_NUMBER"}], "min_likelihood": "UNLIKELY"},
        deidentify_config={"info_type_transformations": {"transformations": [both]}},
    ).item.value
    assert hidden.count("TOK(") == 2
    assert "4155550132" not in hidden
    reverse = {"info_types": [{"name": "TOK"}], "primitive_transformation": primitive}
    back = ask(
        client,
        "reidentify",
        item={"value": hidden},
        inspect_config={
            "custom_info_types": [{"info_type": {"name": "TOK"}, "surrogate_type": {}}]
        },
        reidentify_config={"info_type_transformations": {"transformations": [reverse]}},
    ).item.value
    assert back == text


def test_what_can_not_be_taken_back_is_said(client):
    rules = records(field("v", {"crypto_hash_config": {"crypto_key": CRYPTO}}))
    with pytest.raises(exceptions.InvalidArgument, match="can't take this back"):
        ask(client, "reidentify", item=table(["v"], [["x"]]), reidentify_config=rules)


def test_suppressed_rows_are_counted(client):
    old = {
        "expressions": {
            "conditions": {
                "conditions": [
                    {
                        "field": {"name": "age"},
                        "operator": "GREATER_THAN",
                        "value": {"integer_value": 89},
                    }
                ]
            }
        }
    }
    rules = records(field("name", {"redact_config": {}}), record_suppressions=[{"condition": old}])
    item = table(["age", "name"], [[90, "a"], [5, "b"], [99, "c"]])
    reply = ask(client, "deidentify", item=item, deidentify_config=rules)
    assert cells(reply.item) == [["5", ""]]
    (gone,) = [x for x in reply.overview.transformation_summaries if x.record_suppress]
    assert [result.count for result in gone.results] == [2]


def test_days_stay_days_when_they_are_shifted(client):
    shift = {"lower_bound_days": 3, "upper_bound_days": 3}
    item = {
        "table": {
            "headers": [{"name": "d"}],
            "rows": [{"values": [{"date_value": {"year": 2024, "month": 2, "day": 28}}]}],
        }
    }
    rules = records(field("d", {"date_shift_config": shift}))
    made = ask(client, "deidentify", item=item, deidentify_config=rules).item
    day = made.table.rows[0].values[0].date_value
    assert (day.year, day.month, day.day) == (2024, 3, 2)


def test_a_transient_key_lives_for_one_request(client):
    rules = records(
        field("v", {"crypto_hash_config": {"crypto_key": {"transient": {"name": "k"}}}})
    )
    made = [
        cells(
            ask(
                client, "deidentify", item=table(["v"], [["x"], ["x"]]), deidentify_config=rules
            ).item
        )
        for _ in range(2)
    ]
    assert made[0][0] == made[0][1]
    assert made[0] != made[1]


def test_stored_info_types(client):
    config = {"dictionary": {"word_list": {"words": ["quasimodo", "esmeralda"]}}}
    stored = client.create_stored_info_type(
        request={"parent": PARENT, "stored_info_type_id": "names", "config": config}
    )
    assert stored.name == f"{PARENT}/storedInfoTypes/names"
    assert stored.current_version.state == dlp_v2.StoredInfoTypeState.READY
    asked = {
        "custom_info_types": [{"info_type": {"name": "WHO"}, "stored_type": {"name": stored.name}}],
        "include_quote": True,
    }
    item = {"value": "it was Quasimodo, not Phoebus"}
    found = ask(client, "inspect", item=item, inspect_config=asked).result.findings
    assert [x.quote for x in found] == ["Quasimodo"]
    other = {"regex": {"pattern": "Phoe[a-z]+"}}
    client.update_stored_info_type(request={"name": stored.name, "config": other})
    found = ask(client, "inspect", item=item, inspect_config=asked).result.findings
    assert [x.quote for x in found] == ["Phoebus"]
    assert [x.name for x in client.list_stored_info_types(parent=PARENT)] == [stored.name]
    client.delete_stored_info_type(name=stored.name)
    with pytest.raises(exceptions.NotFound):
        ask(client, "inspect", item=item, inspect_config=asked)
    with pytest.raises(exceptions.InvalidArgument, match="is a dictionary, a large_custom"):
        client.create_stored_info_type(request={"parent": PARENT, "config": {}})


def test_templates_are_updated(client):
    mails = {"info_types": [{"name": "EMAIL_ADDRESS"}]}
    made = client.create_inspect_template(
        request={"parent": PARENT, "inspect_template": {"inspect_config": mails}}
    )
    cards = {"info_types": [{"name": "CREDIT_CARD_NUMBER"}], "include_quote": True}
    client.update_inspect_template(
        request={"name": made.name, "inspect_template": {"inspect_config": cards}}
    )
    reply = client.inspect_content(
        request={
            "parent": PARENT,
            "inspect_template_name": made.name,
            "item": {"value": "a@b.com 4111111111111111"},
        }
    )
    assert [x.quote for x in reply.result.findings] == ["4111111111111111"]


def test_limits_of_configs(client):
    one = field("v", {"redact_config": {}})
    with pytest.raises(exceptions.InvalidArgument, match="More than 100 transformations"):
        ask(
            client,
            "deidentify",
            item=table(["v"], [["x"]]),
            deidentify_config=records(*[one] * 101),
        )
    rule = {
        "exclusion_rule": {"regex": {"pattern": "x"}, "matching_type": "MATCHING_TYPE_FULL_MATCH"}
    }
    rules = {"info_types": [{"name": "EMAIL_ADDRESS"}], "rule_set": [{"rules": [rule] * 11}]}
    with pytest.raises(exceptions.InvalidArgument, match="More than 10 rules"):
        ask(client, "inspect", item={"value": "x"}, inspect_config=rules)
    many = {
        "info_types": [{"name": "EMAIL_ADDRESS"}, {"name": "IP_ADDRESS"}],
        "limits": {
            "max_findings_per_info_type": [
                {"info_type": {"name": "EMAIL_ADDRESS"}, "max_findings": 1}
            ]
        },
    }
    text = "a@b.com c@d.org 10.0.0.1 10.0.0.2"
    found = ask(client, "inspect", item={"value": text}, inspect_config=many).result.findings
    assert sorted(x.info_type.name for x in found) == ["EMAIL_ADDRESS", "IP_ADDRESS", "IP_ADDRESS"]


def _card_template(name):
    """A template of the sample, with a key in the place of the one in KMS, and the data's names."""
    text = shared_data("pii", "dlp_dataflow_sample", name).read_text()
    config = json.loads(text)["deidentifyConfig"]
    for each in config["recordTransformations"]["fieldTransformations"]:
        for one in each["fields"]:
            # The templates write "Card Holder's Name", the records CardHolderName.
            one["name"] = re.sub("[^A-Za-z]", "", one["name"].replace("Holder's", "Holder"))
            one["name"] = one["name"].replace("HoldersName", "HolderName")
        for primitive in each.get("primitiveTransformation", {}).values():
            if "cryptoKey" in primitive:
                key = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
                primitive["cryptoKey"] = {"unwrapped": {"key": key}}
    return config


def test_the_card_records_there_and_back(client):
    path = shared_data("pii", "dlp_dataflow_sample", "CCRecords_sample.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    names = list(rows[0])
    item = table(names, [list(row.values()) for row in rows])
    inspect = json.loads(
        shared_data("pii", "dlp_dataflow_sample", "inspect-template.json").read_text()
    )
    asked = inspect["inspectConfig"]
    asked["infoTypes"] = [x for x in asked["infoTypes"] if x["name"] not in NEED_A_MODEL]
    hidden = ask(
        client,
        "deidentify",
        item=item,
        inspect_config=asked,
        deidentify_config=_card_template("deid-template.json"),
    ).item
    made = [dict(zip(names, row, strict=True)) for row in cells(hidden)]
    assert all(a["CardNumber"] != b["CardNumber"] for a, b in zip(made, rows, strict=True))
    assert all(a["SSN"] != b["SSN"] for a, b in zip(made, rows, strict=True))
    shown = json_format.MessageToDict(dlp_v2.ContentItem.pb(hidden))
    config = _card_template("reid-template.json")
    back = cells(ask(client, "reidentify", item=shown, reidentify_config=config).item)
    for old, new in zip(rows, back, strict=True):
        new = dict(zip(names, new, strict=True))
        assert (new["CardNumber"], new["CardHolderName"]) == (
            old["CardNumber"],
            old["CardHolderName"],
        )
