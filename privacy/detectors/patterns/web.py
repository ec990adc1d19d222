"""URLs, domains and hardware addresses."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.detectors.detector import WORD, Candidates, Detector, Verdict, judged, one_of
from privacy.likelihood import Likelihood

_COUNTRIES = """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt
    bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er
    es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht
    hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr
    ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng
    ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd
    se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw
    tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
""".split()
_COMMON = """
    com org net edu gov mil int info biz name pro aero coop museum jobs mobi travel tel cat asia
    post arpa xxx app dev page blog shop store online site website web tech cloud digital email
    space live life news media agency studio design art club fun games group team company business
    solutions services consulting systems network technology software science health care clinic
    dental doctor hospital pharmacy legal law finance financial bank insurance money capital fund
    invest trade market shopping fashion beauty style food restaurant cafe bar beer wine pizza
    kitchen recipes fit fitness yoga run bike golf football soccer hockey tennis surf camera photo
    photos photography pics gallery video film movie theater music band audio radio show events
    party wedding dating chat social community forum academy school college university education
    training institute foundation charity church faith house homes estate property properties
    apartments land rent construction builders contractors plumbing cleaning garden farm green
    energy solar earth eco global world international city town london paris berlin wien koeln
    hamburg tokyo moscow miami vegas boston nyc quebec scot wales cymru irish ruhr bayern saarland
    nrw swiss amsterdam vlaanderen brussels gent istanbul africa capetown joburg durban kiwi sydney
    melbourne top xyz win vip icu bid loan link click help support guru expert ninja zone today tips
    tools works work wiki ink inc ltd llc gmbh srl limited ventures partners exchange express
    delivery direct deals discount sale cheap bargains promo gift gifts coupons flights holiday
    vacations voyage tours cruises rentals cars auto taxi parts repair pet dog horse kids baby toys
    moe google youtube amazon
""".split()
_TOP = pa.array([*_COUNTRIES, *_COMMON, *[word.upper() for word in (*_COUNTRIES, *_COMMON)]])
_WORDS_TOO = pa.array(
    "it in is at be me my no so to us am as do py sh rs pl ps md cc mk st".split()
)
"""Countries that are English words, or endings of files: by themselves they say little."""

_BEYOND = r"\x{80}-\x{10FFFF}"
_LABEL = rf"[0-9A-Za-z{_BEYOND}](?:[0-9A-Za-z{_BEYOND}\-]*[0-9A-Za-z{_BEYOND}])?"
_HOST = rf"(?:{_LABEL}\.)+(?:xn--[A-Za-z0-9\-]+|[A-Za-z]{{2,24}})"
_PATH = rf"[0-9A-Za-z\-._~:/?#\[\]@!$&'()*+,;=%{_BEYOND}]*[0-9A-Za-z\-_~/#=&%$+*@{_BEYOND}]"
_ADDRESS = r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+\]"
_REST = rf"(?::\d+)?(?:[/?#](?:{_PATH})?)?"
_SCHEME = r"(?:https?|ftps?|sftp|wss?)://"


def _check_domain(candidates: Candidates) -> Verdict:
    """Wants a known top-level domain, and no address of mail around it."""
    texts = candidates.texts
    top = pc.replace_substring_regex(texts, r"^.*\.", "")
    known = np.asarray(pc.is_in(top, _TOP)) | np.asarray(pc.starts_with(top, "xn--"))
    good = known & ~(WORD | one_of(b"@.-"))[candidates.before]
    good &= ~(WORD | one_of(b"@"))[candidates.behind]
    single = np.asarray(pc.count_substring(texts, ".")) == 1
    plain = single & (candidates.before != ord("/")) & np.asarray(pc.is_in(top, _WORDS_TOO))
    level = np.where(plain, Likelihood.VERY_UNLIKELY, Likelihood.LIKELY)
    return judged(candidates, np.where(good, level, Likelihood.NO))


def _check_url(candidates: Candidates) -> Verdict:
    """Wants a scheme, or a host with a known top-level domain; a closing bracket has its fellow."""
    texts = candidates.texts
    schemed = np.asarray(pc.match_substring_regex(texts, f"(?i)^{_SCHEME}"))
    host = pc.replace_substring_regex(texts, r"[/?#:].*$", "")
    top = pc.replace_substring_regex(host, r"^.*\.", "")
    known = np.asarray(pc.is_in(top, _TOP)) | np.asarray(pc.starts_with(top, "xn--"))
    bare = np.asarray(pc.equal(host, texts)) & np.asarray(pc.is_in(top, _WORDS_TOO))
    bare &= np.asarray(pc.count_substring(host, ".")) == 1
    free = ~(WORD | one_of(b"@.-/"))[candidates.before]
    mail = candidates.behind == ord("@")
    level = np.where(bare, Likelihood.VERY_UNLIKELY, Likelihood.LIKELY)
    level = np.where(known & free & ~mail & ~WORD[candidates.behind], level, Likelihood.NO)
    level = np.where(schemed & ~WORD[candidates.before], Likelihood.VERY_LIKELY, level)
    opened = np.asarray(pc.count_substring(texts, "("))
    closed = np.asarray(pc.count_substring(texts, ")"))
    last = candidates.data[candidates.ends - 1] == ord(")")
    return level, candidates.starts, candidates.ends - (last & (closed > opened))


def _check_mac(candidates: Candidates) -> Verdict:
    """Refuses the address of all devices, and that of none."""
    texts = pc.ascii_upper(pc.replace_substring_regex(candidates.texts, "[^0-9A-Fa-f]", ""))
    odd = np.asarray(pc.match_substring_regex(texts, "^(?:F{12}|0{12})$"))
    inside = WORD | one_of(b":-")
    good = ~odd & ~inside[candidates.before] & ~inside[candidates.behind]
    return judged(candidates, np.where(good, Likelihood.VERY_LIKELY, Likelihood.NO))


_PAIR = "[0-9A-Fa-f]{2}"
_MAC = (
    rf"{_PAIR}(?::{_PAIR}){{5}}|{_PAIR}(?:-{_PAIR}){{5}}"
    r"|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}"
)
DOMAIN = Detector(
    "DOMAIN_NAME",
    prefilter=r"[0-9A-Za-z]\.[A-Za-z]{2}",
    pattern=_HOST,
    check=_check_domain,
    hotwords=r"(?i)\b(?:domain|website|host(?:name)?)\b",
)
URL = Detector(
    "URL",
    prefilter=r"[0-9A-Za-z]\.[A-Za-z]{2}|://",
    pattern=rf"(?i:{_SCHEME})(?:[^\s/@]+@)?(?:{_HOST}|{_ADDRESS}|localhost){_REST}|{_HOST}{_REST}",
    check=_check_url,
    hotwords=r"(?i)\b(?:ur[il]|website|link)\b",
)
MAC_ADDRESS = Detector("MAC_ADDRESS", prefilter=_MAC, pattern=_MAC, check=_check_mac)
DETECTORS = (URL, DOMAIN, MAC_ADDRESS)
"""The detectors."""
