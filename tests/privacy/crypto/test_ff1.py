"""FF1: published vectors, an independent slow writing of the standard, and round trips."""

import base64
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.crypto import ff1
from privacy.crypto.alphabets import ALPHABETS, custom_alphabet, radix_alphabet, tweaks
from tests.privacy.crypto import slow_ff1
from tests.support import shared_data
from transforms.errors import ConfigError

DIGITS, UPPER = ALPHABETS["NUMERIC"], ALPHABETS["UPPER_CASE_ALPHA_NUMERIC"]
LOWER = "0123456789abcdefghijklmnopqrstuvwxyz"
K1 = "2B7E151628AED2A6ABF7158809CF4F3C"
K2, K3 = K1 + "EF4359D8D580AA4F", K1 + "EF4359D8D580AA4F7F036D6F04FC6A94"
T1, T2 = "39383736353433323130", "3737373770717273373737"
KEY = bytes(range(16))

NIST = [
    (K1, "", DIGITS, "0123456789", "2433477484"),
    (K1, T1, DIGITS, "0123456789", "6124200773"),
    (K1, T2, LOWER, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (K2, "", DIGITS, "0123456789", "2830668132"),
    (K2, T1, DIGITS, "0123456789", "2496655549"),
    (K2, T2, LOWER, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (K3, "", DIGITS, "0123456789", "6657667009"),
    (K3, T1, DIGITS, "0123456789", "1001623463"),
    (K3, T2, LOWER, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("key", "tweak", "alphabet", "plain", "cipher"), NIST)
def test_samples_of_nist(key, tweak, alphabet, plain, cipher):
    key, tweak = bytes.fromhex(key), bytes.fromhex(tweak)
    made, faults = ff1.encrypt(pa.array([plain]), key, tweak, alphabet)
    back, _ = ff1.decrypt(pa.array([cipher]), key, tweak, alphabet)
    assert (made.to_pylist(), back.to_pylist(), faults.tolist()) == ([cipher], [plain], [False])
    assert slow_ff1.encrypt(plain, key, tweak, alphabet) == cipher


def test_the_pair_that_google_publishes():
    key = base64.b64decode("YWJjZGVmZ2hpamtsbW5vcA==")
    assert ff1.encrypt(pa.array(["4359916732"]), key, None, DIGITS)[0].to_pylist() == ["9617256398"]
    assert ff1.decrypt(pa.array(["9617256398"]), key, None, DIGITS)[0].to_pylist() == ["4359916732"]


@pytest.mark.parametrize("base", ["base10", "base36"])
def test_wycheproof(base):
    groups = json.loads(shared_data("pii", f"wycheproof_aes_ff1_{base}_test.json").read_text())
    wrong = []
    for group in groups["testGroups"]:
        for case in group["tests"]:
            key, tweak = bytes.fromhex(case["key"]), bytes.fromhex(case["tweak"])
            if case["result"] == "valid":
                made, _ = ff1.encrypt(pa.array([case["msg"]]), key, tweak, group["alphabet"])
                back, _ = ff1.decrypt(pa.array([case["ct"]]), key, tweak, group["alphabet"])
                good = (made[0].as_py(), back[0].as_py()) == (case["ct"], case["msg"])
            else:
                good = _rejected(case, key, tweak, group["alphabet"])
            wrong += [] if good else [case["tcId"]]
    assert wrong == []


def _rejected(case, key, tweak, alphabet):
    try:
        made, faults = ff1.encrypt(pa.array([case["msg"]]), key, tweak, alphabet)
    except ConfigError:
        return case["flags"] == ["InvalidKeySize"]
    # An empty text has nothing to encrypt: it stays, as DLP documents.
    return made.to_pylist() == [""] if case["msg"] == "" else faults.tolist() == [True]


@st.composite
def columns(draw):
    alphabet = radix_alphabet(draw(st.integers(2, 95)))
    least = ff1.shortest(len(alphabet))
    texts = st.none() | st.text(alphabet, min_size=least, max_size=least + 60)
    values = draw(st.lists(texts, max_size=12))
    context = st.none() | st.text(max_size=40)
    contexts = draw(st.lists(context, min_size=len(values), max_size=len(values)))
    return alphabet, values, contexts


@given(columns(), st.sampled_from([16, 24, 32]), st.integers(0, 2))
def test_equals_the_slow_writing_and_comes_back(column, size, start):
    alphabet, values, contexts = column
    key = bytes(range(size))
    array = pa.array(values, pa.string()).slice(start)
    tweak = tweaks(pa.array(contexts, pa.string())).slice(start)
    made, faults = ff1.encrypt(array, key, tweak, alphabet)
    assert not faults.any()
    pairs = zip(array.to_pylist(), tweak.to_pylist(), strict=True)
    expected = [None if x is None else slow_ff1.encrypt(x, key, t, alphabet) for x, t in pairs]
    assert made.to_pylist() == expected
    made.validate(full=True)
    assert ff1.decrypt(made, key, tweak, alphabet)[0].equals(array)


def test_faults_are_null_and_leave_no_trace():
    given = ["1234", "12a4", "1", "", None, "١٢٣٤", "99"]
    made, faults = ff1.encrypt(pa.array(given), KEY, None, DIGITS)
    assert faults.tolist() == [False, True, True, False, False, True, False]
    assert [x is None for x in made.to_pylist()] == [False, True, True, False, True, True, False]
    assert made[3].as_py() == ""
    assert b"12a4" not in made.buffers()[2].to_pybytes()


def test_long_columns_equal_their_parts():
    values = pa.array([f"{i:0{6 + i % 13}d}" for i in range(70_000)])
    whole, _ = ff1.encrypt(values, KEY, b"t", DIGITS)
    part, _ = ff1.encrypt(values.slice(65_000, 17), KEY, b"t", DIGITS)
    assert whole.slice(65_000, 17).equals(part)
    assert ff1.decrypt(whole, KEY, b"t", DIGITS)[0].equals(values)


def test_bits_beneath_nulls_stay_out():
    """A null may have bytes beneath it, of which nothing shows."""
    offsets, data = pa.py_buffer(np.array([0, 4, 8], np.int32)), pa.py_buffer(b"12345678")
    array = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\x01"), offsets, data])
    made, faults = ff1.encrypt(array, KEY, None, DIGITS)
    assert made[1].as_py() is None
    assert not faults.any()
    assert b"5678" not in made.buffers()[2].to_pybytes()


def test_what_a_user_gets_wrong_is_said():
    one = pa.array(["1234"])
    with pytest.raises(ConfigError, match="16, 24 or 32 bytes, not 5"):
        ff1.encrypt(one, b"short", None, DIGITS)
    with pytest.raises(ConfigError, match="not int64"):
        ff1.encrypt(pa.array([1234]), KEY, None, DIGITS)
    with pytest.raises(ConfigError, match="different ASCII"):
        ff1.encrypt(one, KEY, None, "11")
    with pytest.raises(ConfigError, match="tweak for each value"):
        ff1.encrypt(one, KEY, pa.array([b"a", b"b"]), DIGITS)


def test_alphabets():
    assert custom_alphabet("cba0") == "0abc"
    assert radix_alphabet(36) == UPPER
    assert len(radix_alphabet(95)) == 95
    assert custom_alphabet(" !a") == "a! "
    for wrong in ("a", "aa", "aé"):
        with pytest.raises(ConfigError, match="custom_alphabet"):
            custom_alphabet(wrong)
    with pytest.raises(ConfigError, match="radix"):
        radix_alphabet(96)


def test_tweaks_follow_the_documented_rule():
    assert tweaks(pa.array([1, None, -2])).to_pylist() == [
        b"\0\0\0\0\0\0\0\x01\x01",
        b"",
        b"\xff" * 7 + b"\xfe\x01",
    ]
    assert tweaks(pa.array(["é", None, ""])).to_pylist() == [b"\xc3\xa9\x02", b"", b"\x02"]
    with pytest.raises(ConfigError, match="not of double"):
        tweaks(pa.array([1.5]))


def test_weak_domains():
    assert ff1.is_weak(5, 10)
    assert not ff1.is_weak(6, 10)
    assert ff1.shortest(2) == 7
