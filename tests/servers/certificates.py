"""A throw-away authority and a server certificate for localhost, made by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import find_program

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
_CA = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
_SERVER = (
    "basicConstraints=critical,CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
)


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: `ca` signed `certificate` (of `key`); `other_ca` is one that signed nothing here."""

    ca: Path
    certificate: Path
    key: Path
    other_ca: Path


def make_certificates(folder: Path) -> TlsFiles:
    """Makes them in `folder`."""
    files = TlsFiles(folder / "ca.pem", folder / "server.pem", folder / "server.key", folder / "other-ca.pem")
    _make(files.ca, folder / "ca.key", "/CN=voucherd test authority", _CA)
    _make(files.other_ca, folder / "other-ca.key", "/CN=another authority", _CA)
    signer = ("-CA", str(files.ca), "-CAkey", str(folder / "ca.key"))
    _make(files.certificate, files.key, "/CN=localhost", _SERVER, *signer)
    return files


def _make(certificate: Path, key: Path, subject: str, extensions: tuple[str, ...], *more: str) -> None:
    added = [word for extension in extensions for word in ("-addext", extension)]
    openssl = find_program("openssl", "openssl")
    command = [openssl, "req", "-x509", *_EC, "-subj", subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *added, *more], check=True, capture_output=True)
    key.chmod(0o600)
