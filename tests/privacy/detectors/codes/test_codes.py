"""Codes by published examples: each is found as it is, and not with another last character."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.detectors.codes.code import Code
from privacy.detectors.codes.layouts import layouts_of
from privacy.detectors.codes.sums import by_luhn, by_mod_11_10, by_verhoeff
from privacy.detectors.codes.tokens import tokens_of
from privacy.detectors.table import DETECTORS, NEED_A_MODEL
from privacy.local.inspect import inspect_batch
from privacy.spans import text_bytes, text_offsets
from tests.privacy.policies import policy

EXAMPLES = """
    US_BANK_ROUTING_MICR:111000025                  US_HEALTHCARE_NPI:1234567893
    US_DEA_NUMBER:BB1388568                         AMERICAN_BANKERS_CUSIP_ID:38259P508
    CANADA_SOCIAL_INSURANCE_NUMBER:130-692-544      CANADA_BC_PHN:9698658215
    MEXICO_CURP_NUMBER:HEGG560427MVZRRL04           BRAZIL_CPF_NUMBER:111.444.777-35
    BRAZIL_CNPJ_NUMBER:11.222.333/0001-81           CHILE_CDI_NUMBER:12.345.678-5
    URUGUAY_CDI_NUMBER:1.234.567-2                  UK_NATIONAL_HEALTH_SERVICE_NUMBER:943-476-5919
    IRELAND_PPSN:6433435F                           IRELAND_PPSN:6433435OA
    GERMANY_TAXPAYER_IDENTIFICATION_NUMBER:36574261809
    GERMANY_PASSPORT:C01X00T41                      GERMANY_IDENTITY_CARD_NUMBER:L01X00T44
    FRANCE_NIR:295109912611193                      FRANCE_TAX_IDENTIFICATION_NUMBER:3023217600053
    BELGIUM_NATIONAL_ID_CARD_NUMBER:85.07.30-033.28 NETHERLANDS_BSN_NUMBER:111222333
    SWITZERLAND_SOCIAL_SECURITY_NUMBER:756.9217.0769.85
    SPAIN_NIF_NUMBER:54362315K                      SPAIN_DNI_NUMBER:54362315-K
    SPAIN_NIE_NUMBER:X2482300W                      SPAIN_CIF_NUMBER:A13585625
    ITALY_FISCAL_CODE:RCCMNL83S18D969H              FINLAND_NATIONAL_ID_NUMBER:311280-888Y
    FINLAND_BUSINESS_ID:2077474-0                   SWEDEN_NATIONAL_ID_NUMBER:880320-0016
    NORWAY_NI_NUMBER:15108695088                    POLAND_PESEL_NUMBER:44051401359
    POLAND_NATIONAL_ID_NUMBER:ABC523456             POLAND_PASSPORT:ZS0000177
    CROATIA_PERSONAL_ID_NUMBER:33392005961          TURKEY_ID_NUMBER:17291716060
    PORTUGAL_CDC_NUMBER:000000000ZZ4                CHINA_RESIDENT_ID_NUMBER:11010519491231002X
    HONG_KONG_ID_NUMBER:A123456(3)                  TAIWAN_ID_NUMBER:A123456789
    JAPAN_INDIVIDUAL_NUMBER:1234-5678-9018          JAPAN_CORPORATE_NUMBER:5835678256246
    INDIA_AADHAAR_INDIVIDUAL:2341-2341-2346         THAILAND_NATIONAL_ID_NUMBER:1234567890121
    AUSTRALIA_TAX_FILE_NUMBER:876-543-210           SOUTH_AFRICA_ID_NUMBER:8001015009087
    NEW_ZEALAND_IRD_NUMBER:49-091-850               NEW_ZEALAND_NHI_NUMBER:ZZZ0016
    VEHICLE_IDENTIFICATION_NUMBER:1M8GDM9AXKP042788 IMEI_HARDWARE_ID:490154203237518
    SCOTLAND_COMMUNITY_HEALTH_INDEX_NUMBER:010101-0028
    ICCID_NUMBER:8944500102198304826                VAT_NUMBER:DE136695976
""".split()
FORMS = """
    AUSTRALIA_MEDICARE_NUMBER:2123-45670-1          UK_NATIONAL_INSURANCE_NUMBER:AB-12-34-56-C
    US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER:912-70-1234
    US_MEDICARE_BENEFICIARY_ID_NUMBER:1EG4-TE5-MK73 KOREA_RRN:000505-3637892
    INDIA_PAN_INDIVIDUAL:ABCPD1234Z                 INDIA_GST_INDIVIDUAL:27ABCDE1234F1Z5
    US_EMPLOYER_IDENTIFICATION_NUMBER:12-3456789    DENMARK_CPR_NUMBER:211062-5629
    CANADA_QUEBEC_HIN:BOUF-9401-1419                KOREA_ARN:911124-5678901
    SPAIN_SOCIAL_SECURITY_NUMBER:28-12345678-40     CANADA_OHIP:9876-543-217-AB
    SINGAPORE_NATIONAL_REGISTRATION_ID_NUMBER:S1234567D
"""
IN_CONTEXT = [
    ("UK_TAXPAYER_REFERENCE", "the UTR is 1955839661", "1955839661"),
    ("ISRAEL_IDENTITY_CARD_NUMBER", "teudat zehut 039337423", "039337423"),
    ("US_PASSPORT", "my passport: A12803456.", "A12803456"),
    ("US_DRIVERS_LICENSE_NUMBER", "driver license D1234567", "D1234567"),
    ("UK_DRIVERS_LICENSE_NUMBER", "driving licence MORGA607054SM9IJ", "MORGA607054SM9IJ"),
    ("MEDICAL_RECORD_NUMBER", "MRN 00123456", "00123456"),
    ("FINANCIAL_ACCOUNT_NUMBER", "account no 1234567890", "1234567890"),
    ("INDONESIA_NIK_NUMBER", "NIK 3171011505900001", "3171011505900001"),
]


def found(text, name, **inspect):
    batch = pa.record_batch({"text": [text]})
    rules = policy(names=[name], include_quote=True, **inspect)
    return [each["quote"] for each in inspect_batch(batch, rules).to_pylist()]


def parted(lines):
    return [tuple(each.split(":", 1)) for each in lines]


@pytest.mark.parametrize(("name", "text"), parted(EXAMPLES) + parted(FORMS.split()))
def test_published_examples(name, text):
    assert found(f"so, it is {text}, I think", name) == [text]
    assert found(f"x{text}", name) == [], "glued to a letter"


@pytest.mark.parametrize(("name", "text"), parted(EXAMPLES))
def test_another_last_character_is_wrong(name, text):
    place = -2 if text.endswith(")") else -1
    for other in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        changed = text[:place] + other + text[len(text) + place + 1 :]
        if other != text[place] and other.isdigit() == text[place].isdigit():
            assert found(changed, name) == [], changed


@pytest.mark.parametrize(("name", "text", "code"), IN_CONTEXT)
def test_weak_ones_need_a_word_near_them_or_a_column(name, text, code):
    assert found(text, name) == [code]
    assert found(f"it was {code}", name) == []
    batch = pa.record_batch({text.partition(code[:3])[0].strip(" :"): [code]})
    assert inspect_batch(batch, policy(names=[name])).num_rows == 1


def test_groups_of_a_longer_number_are_no_code():
    name = "CANADA_SOCIAL_INSURANCE_NUMBER"
    assert found("130-692-544", name)
    for text in ("1-130-692-544", "130-692-544-1", "130-692-544/2", "130-692 544"):
        assert found(text, name) == []
    assert found("130-692-544, 435 418 165 and 130-692-544.", name) == [
        "130-692-544",
        "435 418 165",
        "130-692-544",
    ]


def test_rows_and_offsets_of_several_texts():
    texts = ["é 130-692-544", None, "", "none 1234", "a 435 418 165 b\n948 584 792"]
    batch = pa.record_batch({"t": pa.array(["x", *texts]).slice(1)})
    rules = policy(names=["CANADA_SOCIAL_INSURANCE_NUMBER"], include_quote=True)
    got = inspect_batch(batch, rules).to_pylist()
    assert [(x["row"], x["codepoint_start"], x["quote"]) for x in got] == [
        (0, 2, "130-692-544"),
        (4, 2, "435 418 165"),
        (4, 16, "948 584 792"),
    ]


def test_layouts():
    (one,) = layouts_of("9{3}-A*", "")
    assert [(x.size, x.letters, x.digits) for x in one.groups] == [(3, 0, 7), (2, 1, 0)]
    assert one.joints == (ord("-"),)
    assert len(layouts_of("99~99?", "- ")) == 3
    assert len(layouts_of("99~99", "- ")) == 2


def test_tokens_stay_within_their_rows():
    column = pa.array(["ab 12", "34-cd", "and so on", "_5"])
    made = tokens_of(text_bytes(column), text_offsets(column))
    data = text_bytes(column)
    words = [bytes(data[s : s + n]) for s, n in zip(made.starts, made.sizes, strict=True)]
    assert words == [b"ab", b"12", b"34", b"cd", b"_5"]
    assert made.rows.tolist()[:4] == [0, 0, 1, 1]
    assert made.joints.tolist()[:4] == [ord(" "), 0, ord("-"), 0]
    assert made.letters.tolist() == [3, 0, 0, 3, -1]


@given(st.lists(st.text("12aB_- .é\n", max_size=30), min_size=1, max_size=8), st.integers(1, 40))
def test_tokens_do_not_depend_on_the_blocks(texts, size):
    column = pa.array(["x1 ", *texts], pa.string()).slice(1)
    whole = tokens_of(text_bytes(column), text_offsets(column))
    parts = tokens_of(text_bytes(column), text_offsets(column), size)
    for name in ("rows", "starts", "sizes", "letters", "joints", "ahead", "behind"):
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist(), name


def test_findings_do_not_depend_on_the_other_rows():
    """A text with too few digits is no candidate, whatever the share of the others is."""
    few = "passport LOCATION7 here"
    for others in ([], ["12 34 56 78"] * 9, ["nothing"] * 9):
        batch = pa.record_batch({"t": [few, *others]})
        rules = policy(names=["NETHERLANDS_PASSPORT"], min_likelihood="VERY_UNLIKELY")
        assert [x["row"] for x in inspect_batch(batch, rules).to_pylist() if not x["row"]] == []


@given(st.lists(st.text("0123456789", min_size=11, max_size=11), min_size=1), st.integers(0, 9))
def test_one_of_ten_last_digits_is_right(bodies, last):
    """Of ten last digits exactly one fits each of these checksums."""
    for rule in (by_luhn, by_mod_11_10, by_verhoeff):
        right = np.zeros(len(bodies), int)
        for digit in range(10):
            codes = np.frombuffer("".join(f"{x}{digit}" for x in bodies).encode(), np.uint8)
            right += rule(codes.reshape(len(bodies), 12))
        assert (right == 1).all()


def test_all_detectors_together_are_sound():
    assert len(DETECTORS) >= 140
    assert not NEED_A_MODEL & set(DETECTORS)
    assert sum(isinstance(each, Code) for each in DETECTORS.values()) >= 100
