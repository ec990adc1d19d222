"""The certificate of an erasure: what was seen, matched and rewritten, and what could not be."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

from privacy.crypto.keys import resolve_key
from privacy.erasure.erase import Erased, Wanted
from privacy.erasure.files import FileErased

CERTIFICATE = "certificate.json"


def certificate(
    erased: Erased,
    wanted: Wanted,
    asked: int,
    facts: Mapping[str, Any],
    key: str,
    files: Iterable[FileErased] = (),
) -> bytes:
    """Returns the certificate, as JSON; it holds no identifier and no value.

    Args:
      erased: What came of the rows.
      wanted: What the index knows of the subjects.
      asked: How many subjects were to be erased.
      facts: Of the run: who, why, when, what.
      key: A reference to the key of the index, which seals the certificate.
      files: What came of each file.
    """
    told = [each.told() for each in sorted(files, key=lambda each: each.file)]
    missing = len(wanted.rows - erased.rows)
    content = {
        **facts,
        "subjects_asked": asked,
        "subjects_in_index": len(wanted.subjects),
        "index_entries": wanted.entries,
        "rows_seen": erased.seen,
        "rows_matched": erased.matched,
        "rows_removed": erased.matched - erased.rewritten,
        "rows_rewritten": erased.rewritten,
        "could_not": {
            "subjects_not_in_index": asked - len(wanted.subjects),
            "rows_not_found": missing,
            "files_not_read_whole": sum(bool(each["could_not_read"]) for each in told),
        },
        "files": told,
    }
    return json.dumps({**content, "seal": _seal(content, key)}, indent=2).encode() + b"\n"


def certificate_file(
    erased: Erased,
    wanted: Wanted,
    files: Iterable[FileErased],
    asked: int,
    facts: Mapping[str, Any],
    key: str,
) -> tuple[str, bytes]:
    """Returns the name and content of the file of a certificate; see `certificate`."""
    return CERTIFICATE, certificate(erased, wanted, asked, facts, key, files)


def is_genuine(content: bytes, key: str) -> bool:
    """Tells whether a certificate is as it was written, by who has the key of the index."""
    told = json.loads(content)
    seal = told.pop("seal", "")
    return hmac.compare_digest(str(seal), _seal(told, key))


def _seal(content: Mapping[str, Any], key: str) -> str:
    text = json.dumps(content, sort_keys=True).encode()
    return hmac.new(resolve_key(key), text, hashlib.sha256).hexdigest()
