"""A CA and a certificate for this machine: MSAL speaks https only.

Source: contracts/packages.md (MSAL is given the CA's file as `Session.verify`).
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class ServerCertificate:
    """Where the files are: `ca_file` for clients, the other two for the server."""

    ca_file: Path
    chain_file: Path
    key_file: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain_file, self.key_file)
        return context


def ensure_certificate(folder: Path) -> ServerCertificate:
    """The folder's `ca.pem`, `server.pem` and `server.key`, made when one is missing.

    Kept between starts, so that processes that have read the CA go on trusting a restarted simulator.
    """
    made = ServerCertificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if not all(file.exists() for file in (made.ca_file, made.chain_file, made.key_file)):
        _make(made)
    return made


def _make(wanted: ServerCertificate) -> None:
    wanted.ca_file.parent.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Sandbox")
    server = authority.issue_cert(*NAMES)
    wanted.key_file.touch(mode=0o600)
    server.private_key_pem.write_to_path(str(wanted.key_file))
    wanted.chain_file.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    authority.cert_pem.write_to_path(str(wanted.ca_file))
