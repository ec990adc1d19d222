"""Tokens: published vectors, round trips, contexts, and DLP's own tokens refused."""

import base64
import json

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from privacy.crypto import siv
from privacy.crypto.synthetic_iv import SyntheticIv
from tests.support import shared_data
from transforms.errors import ConfigError

KEY = bytes(range(32))
OF_DLP = "AXDEwUnZsTf/NzxoHaC8AZXcawWuma7L39A="


def _cases():
    groups = json.loads(shared_data("pii", "wycheproof_aes_siv_cmac_test.json").read_text())
    return [case for group in groups["testGroups"] for case in group["tests"]]


def test_wycheproof():
    wrong = []
    for case in _cases():
        key, aad, message, sealed = (bytes.fromhex(case[x]) for x in ("key", "aad", "msg", "ct"))
        cipher = SyntheticIv(key)
        starts = cipher.starts(_row(aad))
        opened, genuine = cipher.open(_row(sealed), starts)
        good = genuine[0] and opened.tobytes() == message
        good = good and cipher.seal(_row(message), starts).tobytes() == sealed
        wrong += [] if good == (case["result"] == "valid") else [case["tcId"]]
    assert wrong == []


def _row(data):
    return np.frombuffer(data, np.uint8).reshape(1, len(data))


def test_a_token_is_a_version_and_what_the_standard_seals():
    key = bytes(range(64))
    tokens, _ = siv.encrypt(pa.array(["text", "text"]), key, pa.array(["a", None]))
    sealed = [AESSIV(key).encrypt(b"text", [b"a\x02"]), AESSIV(key).encrypt(b"text", None)]
    assert [base64.b64decode(x) for x in tokens.to_pylist()] == [b"\x4d" + x for x in sealed]
    assert len(base64.b64decode(tokens[0].as_py())) == 1 + 16 + 4


texts = st.lists(st.none() | st.text(max_size=50), max_size=10)


@given(texts, st.sampled_from([16, 24, 32, 64]), st.integers(0, 2))
def test_round_trip(values, size, start):
    array, key = pa.array(values, pa.string()).slice(start), bytes(range(size))
    context = pa.array(range(len(array)), pa.int64())
    for bound in (None, context):
        tokens, faults = siv.encrypt(array, key, bound)
        back, others = siv.decrypt(tokens, key, bound)
        assert back.equals(array)
        assert not faults.any()
        assert not others.any()
        plain = [x for x, y in zip(array.to_pylist(), tokens.to_pylist(), strict=True) if x == y]
        assert set(plain) <= {None}


@given(st.lists(st.text(max_size=80), max_size=6), st.none() | st.text(max_size=40))
def test_equals_the_library(values, bound):
    """The library seals a text at a time."""
    key = bytes(range(64))
    context = None if bound is None else pa.array([bound] * len(values), pa.string())
    tokens, _ = siv.encrypt(pa.array(values, pa.string()), key, context)
    aad = None if bound is None else [bound.encode() + b"\x02"]
    sealed = [b"\x4d" + AESSIV(key).encrypt(x.encode(), aad) for x in values]
    assert [base64.b64decode(x) for x in tokens.to_pylist()] == sealed


def test_the_same_text_has_the_same_token_within_a_context_only():
    context = pa.array(["p1", "p1", "p2"])
    tokens = siv.encrypt(pa.array(["x", "x", "x"]), KEY, context)[0].to_pylist()
    assert tokens[0] == tokens[1] != tokens[2]


def test_faults_have_reasons():
    good = siv.encrypt(pa.array(["secret"]), KEY)[0].to_pylist()[0]
    other = siv.encrypt(pa.array(["secret"]), KEY, pa.array(["context"]))[0].to_pylist()[0]
    tokens = pa.array([good, OF_DLP, "no base64!", other, None, "", "TQ=="])
    back, faults = siv.decrypt(tokens, KEY)
    assert back.to_pylist() == ["secret"] + [None] * 6
    assert faults.tolist() == [False, True, True, True, False, True, True]
    reasons = [siv.OF_DLP, siv.NO_TOKEN, siv.OTHER_KEY, siv.NO_TOKEN, siv.NO_TOKEN]
    assert siv.why(tokens, faults) == reasons
    assert "version 0x01" in siv.OF_DLP


def test_another_key_does_not_open_it():
    tokens, _ = siv.encrypt(pa.array(["secret"] * 3), KEY)
    back, faults = siv.decrypt(tokens, bytes(32))
    assert back.null_count == 3
    assert np.array_equal(faults, [True] * 3)


def test_what_a_user_gets_wrong_is_said():
    with pytest.raises(ConfigError, match="16, 24, 32 or 64 bytes, not 15"):
        siv.encrypt(pa.array(["a"]), bytes(15))
    with pytest.raises(ConfigError, match="context for each value"):
        siv.encrypt(pa.array(["a"]), KEY, pa.array(["a", "b"]))
