"""Remembered TLS contexts still check certificates: the right authority is trusted, a wrong one is not."""

import ssl
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.runtime.support import PROVIDERS, Configure, Open, Screen, ask
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.patches import tls


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own: its certificate, and one it gave to 127.0.0.1."""

    roots: Path
    chain: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context


def certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=ca, crl_sign=ca, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if not ca:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signer, hashes.SHA256())


def authority(directory: Path, name: str) -> Authority:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate(name, root_key, name, root_key, ca=True)
    leaf = certificate("server", key, name, root_key, ca=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    roots, chain = directory / f"{name}-roots.pem", directory / f"{name}-server.pem"
    roots.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
    return Authority(roots, chain)


type Trust = Callable[[str | None], None]


@pytest.fixture
def authorities(tmp_path: Path) -> dict[str, Authority]:
    return {name: authority(tmp_path, name) for name in ("ours", "theirs")}


@pytest.fixture
def trust(authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch) -> Trust:
    """Trust an authority by its name, or only the system's."""

    def change(name: str | None) -> None:
        if name is None:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        else:
            monkeypatch.setenv("SSL_CERT_FILE", str(authorities[name].roots))

    return change


@pytest.fixture
async def secure(authorities: dict[str, Authority]) -> AsyncGenerator[Model]:
    async with Model(ssl=authorities["ours"].server_context()) as served:
        yield served


async def outcome(engine: object, chat: int) -> str:
    """The answer, or the failure's detail."""
    try:
        return (await engine.run(ask(chat, "hello"), Screen())).text
    except TurnFailed as failure:
        return failure.detail


async def test_a_real_handshake_succeeds_with_the_right_authority_and_fails_with_another(
    runtime: Open, secure: Model, configure: Configure, trust: Trust
) -> None:
    configure({"generic": {"base_url": f"{secure.url}/v1", "api_key": "x"}})
    trust("ours")
    async with runtime() as engine:
        assert await outcome(engine, 1) == "echo: hello [n=1]"
        kept = tls.count()
        for chat in range(2, 6):
            assert await outcome(engine, chat) == "echo: hello [n=1]"
        assert tls.count() == kept, "the context is remembered"
        calls = len(secure.journal)
        trust("theirs")
        assert "API" in await outcome(engine, 6)
        trust(None)
        assert "API" in await outcome(engine, 7), "the system's authorities do not know ours"
        assert len(secure.journal) == calls


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_checks_the_certificate(
    runtime: Open, secure: Model, configure: Configure, trust: Trust, provider: str
) -> None:
    name, _, more = PROVIDERS[provider]
    secure.fault(status=404, times=None)
    configure({provider: {"base_url": f"{secure.url}/v1", "api_key": "x", **more}})
    async with runtime(COHORT_MODEL=name) as engine:
        trust("theirs")
        refused = await outcome(engine, 1)
        trust("ours")
        reached = await outcome(engine, 2)
    assert "404" in reached, "the handshake succeeded: the server could say no"
    assert "404" not in refused
    assert refused.startswith(name)
