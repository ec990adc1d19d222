"""Keys by reference: files, variables, Secret Manager and KMS over their real wire."""

import base64
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import kms, secretmanager

from privacy.crypto.keys import resolve_key
from transforms.errors import ConfigError

KEY = b"k" * 31 + b"!"
TEXT = base64.b64encode(KEY).decode()
SECRET = "projects/p/secrets/s/versions/7"
KMS_KEY = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"


def test_files(tmp_path):
    (tmp_path / "text").write_text(f"{TEXT[:20]}\n{TEXT[20:]}\n")
    (tmp_path / "raw").write_bytes(KEY)
    assert resolve_key(f"file:{tmp_path}/text") == KEY
    assert resolve_key(f"file://{tmp_path}/text") == KEY
    assert resolve_key(f"file:{tmp_path}/raw?format=raw") == KEY
    with pytest.raises(ConfigError, match=r"raw is not base64 text"):
        resolve_key(f"file:{tmp_path}/raw")
    with pytest.raises(ConfigError, match="No such file"):
        resolve_key(f"file:{tmp_path}/none")


def test_variables(monkeypatch):
    monkeypatch.setenv("FPE_KEY", TEXT)
    assert resolve_key("env:FPE_KEY") == KEY
    with pytest.raises(ConfigError, match="env:NO_KEY: this environment variable is not set"):
        resolve_key("env:NO_KEY")


def test_what_stands_in_a_policy():
    assert resolve_key(f"base64:{TEXT}") == KEY
    assert resolve_key({"unwrapped": {"key": TEXT}}) == KEY
    assert resolve_key({"unwrapped": {"key": KEY}}) == KEY


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("vault:x", "begins with one of file:, env:, base64:, secret:, kms:"),
        ("no reference", "begins with one of"),
        ("base64:SECRETVALUE!", "is not base64 text"),
        ("base64:U0VDUkVUVkFMVUU=", "has 11 bytes, not 16, 24, 32 or 64"),
        ("file:x?mode=1", "takes"),
        ("secret:projects/p/secrets/s", "versions"),
        (f"kms:{KMS_KEY}", "wrapped=BASE64"),
        ({"transient": {"name": "t"}}, "engine: cloud only"),
        ({"unwrapped": {"key": "SECRETVALUE!"}}, "is not base64 text"),
    ],
)
def test_errors_name_the_reference_and_never_the_key(reference, message):
    with pytest.raises(ConfigError, match=message) as raised:
        resolve_key(reference)
    assert "SECRETVALUE" not in str(raised.value)
    assert "U0VDUkVU" not in str(raised.value)


class Services(grpc.GenericRpcHandler):
    """Secret Manager and KMS, as far as a key needs them."""

    def service(self, details):
        return {
            "/google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion": _secret,
            "/google.cloud.kms.v1.KeyManagementService/Decrypt": _kms,
        }.get(details.method)


def _access(request, context):
    if request.name != SECRET:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")
    return secretmanager.AccessSecretVersionResponse(payload={"data": TEXT.encode()})


def _decrypt(request, context):
    if request.name != KMS_KEY:
        context.abort(grpc.StatusCode.NOT_FOUND, "no")
    return kms.DecryptResponse(plaintext=request.ciphertext[::-1])


def _method(call, request, reply):
    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request.deserialize, response_serializer=reply.serialize
    )


_secret = _method(
    _access, secretmanager.AccessSecretVersionRequest, secretmanager.AccessSecretVersionResponse
)
_kms = _method(_decrypt, kms.DecryptRequest, kms.DecryptResponse)


@pytest.fixture
def services(monkeypatch):
    """Google's own clients, led to a server of this process."""
    server = grpc.server(ThreadPoolExecutor(2), handlers=[Services()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channels = []
    for module, name in (
        (secretmanager, "SecretManagerServiceClient"),
        (kms, "KeyManagementServiceClient"),
    ):
        client = getattr(module, name)
        channels.append(grpc.insecure_channel(f"127.0.0.1:{port}"))
        transport = client.get_transport_class("grpc")(
            channel=channels[-1], credentials=AnonymousCredentials()
        )
        monkeypatch.setattr(module, name, lambda client=client, t=transport: client(transport=t))
    yield
    for channel in channels:
        channel.close()
    server.stop(None).wait()


def test_secret_manager(services):
    assert resolve_key(f"secret:{SECRET}") == KEY
    with pytest.raises(ConfigError, match="the service answered PermissionDenied"):
        resolve_key("secret:projects/p/secrets/other/versions/1")


def test_kms(services):
    wrapped = base64.b64encode(KEY[::-1]).decode()
    assert resolve_key(f"kms:{KMS_KEY}?wrapped={wrapped}") == KEY
    proto = {"kmsWrapped": {"wrappedKey": wrapped, "cryptoKeyName": KMS_KEY}}
    assert resolve_key(proto) == KEY
    with pytest.raises(ConfigError, match="the service answered NotFound"):
        resolve_key(f"kms:{KMS_KEY}x?wrapped={wrapped}")
