"""Credentials: keys and tokens by their prefixes and forms, and secrets beside their names."""

import base64
import binascii
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.detector import WORD, Candidates, Check, Detector, Verdict, judged, one_of
from privacy.likelihood import Likelihood

_GLUED = WORD | one_of(b"-")


def _whole_word(candidates: Candidates) -> Verdict:
    good = ~_GLUED[candidates.before] & ~_GLUED[candidates.behind]
    return judged(candidates, np.where(good, Likelihood.VERY_LIKELY, Likelihood.NO))


def _jwt(candidates: Candidates) -> Verdict:
    """Wants a first part that is JSON with an algorithm."""
    level, starts, ends = _whole_word(candidates)
    heads = [_head(text.partition(".")[0]) for text in candidates.texts.to_pylist()]
    return np.where(np.array(heads, bool), level, Likelihood.NO), starts, ends


def _head(text: str) -> bool:
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(content, dict) and "alg" in content


def labelled(
    name: str,
    label: str,
    value: str,
    prefilter: str,
    likelihood: Likelihood = Likelihood.LIKELY,
    check: Check | None = None,
) -> Detector:
    """Returns the detector of values that stand behind their name; only the value is found.

    Args:
      name: The infoType.
      label: An RE2 pattern of the name, and of all up to the value.
      value: An RE2 pattern of the value, without names of groups.
      prefilter: A simpler pattern of the name.
      likelihood: Of the values.
      check: Judges values, in the place of `likelihood`.
    """

    def cut(candidates: Candidates) -> Verdict:
        heads = pc.extract_regex(candidates.texts, f"^(?P<head>{label})").flatten()[0]
        sizes = np.asarray(pc.fill_null(pc.binary_length(heads), 0))
        starts = candidates.starts + sizes
        if check is not None:
            return check(candidates.within(starts, candidates.ends))
        good = ~WORD[candidates.before]
        return np.where(good, likelihood, Likelihood.NO), starts, candidates.ends

    return Detector(name, prefilter, f"(?:{label})(?:{value})", cut)


_IS = r"""["']?[\s]{0,3}(?:is|[:=]|=>)[\s]{0,3}["']?"""
_SECRET = r"""[^\s"',;&<>]{4,128}"""


def _month_and_year(candidates: Candidates) -> Verdict:
    month = np.asarray(pc.utf8_slice_codeunits(candidates.texts, 0, 2).cast(pa.int64()))
    good = (month >= 1) & (month <= 12) & ~WORD[candidates.behind]
    return judged(candidates, np.where(good, Likelihood.LIKELY, Likelihood.NO))


DETECTORS = (
    Detector(
        "JSON_WEB_TOKEN",
        prefilter=r"eyJ[\w-]{5,}\.[\w-]{5}",
        pattern=r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*",
        check=_jwt,
    ),
    Detector(
        "ENCRYPTION_KEY",
        prefilter="-----BEGIN [A-Z ]*PRIVATE KEY",
        pattern=r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\w+/=\s\\:.,()-]*?"
        r"-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    ),
    Detector(
        "SSL_CERTIFICATE",
        prefilter="-----BEGIN CERTIFICATE",
        pattern=r"-----BEGIN CERTIFICATE-----(?:[\w+/=\s\\]*?-----END CERTIFICATE-----)?",
    ),
    Detector(
        "AWS_CREDENTIALS",
        prefilter=r"(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA)[A-Z0-9]{12}",
        pattern=r"(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA)[A-Z2-7]{16}",
        check=_whole_word,
    ),
    Detector(
        "GCP_API_KEY",
        prefilter=r"AIza[\w-]{35}",
        pattern=r"AIza[\w-]{35}",
        check=_whole_word,
    ),
    labelled(
        "GCP_CREDENTIALS",
        r'"private_key_id"\s*:\s*"',
        r"[0-9a-f]{40}",
        "private_key_id",
        Likelihood.VERY_LIKELY,
    ),
    Detector(
        "OAUTH_CLIENT_SECRET",
        prefilter=r"GOCSPX-|ya29\.",
        pattern=r"GOCSPX-[\w-]{20,40}|ya29\.[\w-]{30,}",
        check=_whole_word,
    ),
    Detector(
        "AUTH_TOKEN",
        prefilter=r"gh[pousr]_\w{20}|github_pat_|xox[abprs]-|glpat-|sk_live_|[bB]earer ",
        pattern=r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|xox[abprs]-[\w-]{10,}|glpat-[\w-]{20}"
        r"|sk_live_[A-Za-z0-9]{16,}|[bB]earer [A-Za-z0-9._~+/-]{16,}=*",
        check=_whole_word,
    ),
    labelled(
        "AZURE_AUTH_TOKEN",
        r"AccountKey=",
        r"[A-Za-z0-9+/]{86}==",
        "AccountKey=",
        Likelihood.VERY_LIKELY,
    ),
    labelled(
        "BASIC_AUTH_HEADER",
        r"(?i:authorization:? *basic +)",
        r"[A-Za-z0-9+/]{4,}=*",
        r"(?i)authorization:? *basic",
    ),
    labelled(
        "HTTP_COOKIE",
        r"(?i:(?:set-)?cookie: *)",
        r"[\w.-]{1,64}=[^\s;]+(?:; ?[\w.-]{1,64}(?:=[^\s;]+)?)*",
        r"(?i)cookie: *[\w.-]+=",
    ),
    labelled(
        "PASSWORD",
        rf"(?i:pass(?:word|wd|phrase|code)|pwd){_IS}",
        _SECRET,
        r"(?i)pass(?:w|p|code)|pwd",
        Likelihood.LIKELY,
    ),
    Detector(
        "STORAGE_SIGNED_URL",
        prefilter="(?i)x-(?:goog|amz)-signature=|[?&]sig=",
        pattern=r"https://[\w.-]+/[^\s\"'<>]*(?:(?i:x-(?:goog|amz)-signature)=|[?&]sig=)[\w%+/=-]+"
        r"[^\s\"'<>]*",
    ),
    Detector(
        "ADVERTISING_ID",
        prefilter=r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-",
        pattern=r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
        likelihood=Likelihood.VERY_UNLIKELY,
        hotwords=r"(?i)\b(?:idfa|gaid|aaid|ad(?:vertising)? ?id|advertiser)\b",
    ),
    labelled(
        "CVV_NUMBER",
        rf"(?i:cvv2?|cvc2?|card (?:security|verification) (?:code|value))(?:{_IS}| )",
        r"\d{3,4}\b",
        r"(?i)cv[vc]|card (?:security|verification)",
    ),
    labelled(
        "CREDIT_CARD_EXPIRATION_DATE",
        rf"(?i:exp(?:ir(?:y|es|ation))?\.?(?: date)?|valid (?:thru|until))(?:{_IS}| ){{1,2}}",
        r"\d{2} ?[/-] ?(?:20)?\d{2}",
        r"(?i)exp|valid (?:thru|until)",
        check=_month_and_year,
    ),
)
"""The detectors."""
