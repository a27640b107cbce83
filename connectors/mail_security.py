"""How connections to mail servers are secured; SMTP and IMAP have it in common."""

import ssl
from enum import StrEnum
from pathlib import Path


class Security(StrEnum):
    """`starttls` begins in clear and goes no further without TLS; `tls` speaks TLS from the first byte."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


def verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are verified against the system's authorities and `ca_file`."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
