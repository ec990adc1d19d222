"""Keys by reference: what a policy holds is where a key is, seldom the key.

| reference | the key is |
|---|---|
| `file:/etc/keys/fpe.b64` | base64 text in a file |
| `env:FPE_KEY` | base64 text in an environment variable |
| `base64:YWJj...` | the text itself: for tests, since whoever reads the policy reads the key |
| `secret:projects/P/secrets/S/versions/V` | a payload of Secret Manager, base64 text |
| `kms:projects/.../cryptoKeys/K?wrapped=BASE64` | unwrapped by Cloud KMS |

`?format=raw` says that a file or secret holds the bytes themselves. DLP's own forms are read too:
`{"unwrapped": {"key": ...}}` and `{"kmsWrapped": {"wrappedKey": ..., "cryptoKeyName": ...}}`.
"""

import base64
import binascii
import os
import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from transforms.errors import ConfigError

SIZES = (16, 24, 32, 64)
_VERSION = re.compile(r"projects/[^/]+/(locations/[^/]+/)?secrets/[^/]+/versions/[^/]+")
_KMS_KEY = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")


def resolve_key(reference: str | Mapping[str, Any]) -> bytes:
    """Returns the key that a reference leads to.

    Args:
      reference: A text as in the table above, or DLP's `CryptoKey` in its JSON form.

    Returns: 16, 24, 32 or 64 bytes.

    Raises:
      ConfigError: The reference has an unknown form, leads nowhere or to no key. The text names the
        reference, never what it leads to.
    """
    if isinstance(reference, Mapping):
        return _of_proto(reference)
    kind, colon, rest = reference.partition(":")
    if not colon or kind not in KINDS:
        known = ", ".join(f"{name}:" for name in KINDS)
        raise ConfigError(f"a key reference begins with one of {known}")
    name = "base64:..." if kind == "base64" else f"{kind}:{rest.partition('?')[0]}"
    return _sized(KINDS[kind](rest, name), name)


def _of_proto(key: Mapping[str, Any]) -> bytes:
    for names, read in _FORMS:
        for name in names:
            if name in key:
                return _sized(read(key[name], name), name)
    raise ConfigError(
        "a key is `unwrapped` or `kmsWrapped`; a `transient` one lives for one request, and can be "
        "had with engine: cloud only"
    )


def _unwrapped(form: Mapping[str, Any], name: str) -> bytes:
    return _bytes(form.get("key", ""), name)


def _kms_wrapped(form: Mapping[str, Any], name: str) -> bytes:
    wrapped = form.get("wrappedKey", form.get("wrapped_key", ""))
    key = form.get("cryptoKeyName", form.get("crypto_key_name", ""))
    return _unwrap(key, _bytes(wrapped, name), f"{name} by {key}")


def _of_file(rest: str, name: str) -> bytes:
    path, raw = _format(rest, name)
    try:
        content = pathlib.Path(path.removeprefix("//")).read_bytes()
    except OSError as error:
        raise ConfigError(f"key {name} can't be read: {error.strerror}") from None
    return content if raw else _decoded(content, name)


def _of_env(rest: str, name: str) -> bytes:
    value = os.environ.get(rest)
    if value is None:
        raise ConfigError(f"key {name}: this environment variable is not set")
    return _decoded(value, name)


def _of_secret(rest: str, name: str) -> bytes:
    version, raw = _format(rest.removeprefix("//"), name)
    if not _VERSION.fullmatch(version):
        raise ConfigError(f"key {name} is not projects/P/secrets/S/versions/V")
    content = _asked(name, lambda: _access_secret(version))
    return content if raw else _decoded(content, name)


def _of_kms(rest: str, name: str) -> bytes:
    key, wrapped = wrapped_key(f"kms:{rest}")
    return _unwrap(key, wrapped, name)


def wrapped_key(reference: str) -> tuple[str, bytes]:
    """Returns the name of the key of Cloud KMS, and the wrapped key, that a `kms:` reference has.

    Raises:
      ConfigError: It has another form.
    """
    key, _, query = reference.removeprefix("kms:").removeprefix("//").partition("?")
    wrapped = re.fullmatch("wrapped=(.+)", query)
    if not _KMS_KEY.fullmatch(key) or not wrapped:
        form = "kms:projects/P/locations/L/keyRings/R/cryptoKeys/K?wrapped=BASE64"
        raise ConfigError(f"key kms:{key} is not {form}")
    return key, _decoded(unquote(wrapped[1]), f"kms:{key}")


def _unwrap(key: str, wrapped: bytes, name: str) -> bytes:
    return _asked(name, lambda: _kms_decrypt(key, wrapped))


def _access_secret(version: str) -> bytes:
    from google.cloud import secretmanager

    reply = secretmanager.SecretManagerServiceClient().access_secret_version(name=version)
    content: bytes = reply.payload.data
    return content


def _kms_decrypt(key: str, wrapped: bytes) -> bytes:
    from google.cloud import kms

    reply = kms.KeyManagementServiceClient().decrypt(name=key, ciphertext=wrapped)
    content: bytes = reply.plaintext
    return content


def _asked(name: str, ask: Callable[[], bytes]) -> bytes:
    """Returns what a service of Google's answers, or says which one refused and with what code."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError

    try:
        return ask()
    except ImportError as error:
        package = "google-cloud-kms" if name.startswith("k") else "google-cloud-secret-manager"
        raise ConfigError(f"key {name} needs {package}: pip install {package}") from error
    except GoogleAPICallError as error:
        raise ConfigError(f"key {name}: the service answered {type(error).__name__}") from None
    except GoogleAuthError as error:
        raise ConfigError(f"key {name}: no credentials ({type(error).__name__})") from None


def _format(rest: str, name: str) -> tuple[str, bool]:
    path, _, query = rest.partition("?")
    options = parse_qs(query, keep_blank_values=True)
    formats = options.pop("format", ["base64"])
    if options or formats not in (["base64"], ["raw"]):
        raise ConfigError(f"key {name} takes ?format=raw or ?format=base64 only")
    return path, formats == ["raw"]


def _bytes(field: str | bytes, name: str) -> bytes:
    """Returns a field of bytes, which is base64 text where the key came as JSON."""
    return field if isinstance(field, bytes) else _decoded(field, name)


def _decoded(text: str | bytes, name: str) -> bytes:
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"key {name} is not base64 text") from None


def _sized(key: bytes, name: str) -> bytes:
    if len(key) not in SIZES:
        raise ConfigError(f"key {name} has {len(key)} bytes, not 16, 24, 32 or 64")
    return key


KINDS: dict[str, Callable[[str, str], bytes]] = {
    "file": _of_file,
    "env": _of_env,
    "base64": lambda rest, name: _decoded(rest, name),
    "secret": _of_secret,
    "kms": _of_kms,
}
_FORMS: list[tuple[tuple[str, ...], Callable[[Any, str], bytes]]] = [
    (("unwrapped",), _unwrapped),
    (("kmsWrapped", "kms_wrapped"), _kms_wrapped),
]
