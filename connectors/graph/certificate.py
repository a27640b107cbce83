"""The certificate with which Lucy signs in instead of a secret.

Source: contracts/graph.md, section 1. MSAL sends its SHA-256 thumbprint with an assertion that its key signs.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lucy.errors import ConfigurationError

SETTING = "LUCY_GRAPH_CERTIFICATE"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Both as PEM text. `ends_at`: aware UTC."""

    public: str = field(repr=False)
    private_key: str = field(repr=False)
    ends_at: datetime

    @classmethod
    def read(cls, path: Path) -> Self:
        """From one PEM file with the certificate and its unencrypted RSA key. Raises ConfigurationError.

        A pair that does not match would only be told by Entra, as a bad signature; so it is told here.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{SETTING}: the file cannot be read ({type(error).__name__})") from None
        try:
            certificate = x509.load_pem_x509_certificate(content)
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError):
            raise ConfigurationError(
                f"{SETTING}: put the certificate and its unencrypted private key into one PEM file"
            ) from None
        if not isinstance(key, RSAPrivateKey) or key.public_key() != certificate.public_key():
            raise ConfigurationError(f"{SETTING}: the key is not the RSA key of that certificate")
        text = content.decode("ascii", "ignore")
        return cls(_block(text, "CERTIFICATE"), _block(text, "PRIVATE KEY"), certificate.not_valid_after_utc)

    def has_ended(self, now: datetime | None = None) -> bool:
        return self.ends_at <= (now or datetime.now(UTC))

    def as_msal_takes_it(self) -> dict[str, str]:
        return {"private_key": self.private_key, "public_certificate": self.public}


def _block(text: str, label: str) -> str:
    """The first PEM block whose label ends so (`RSA PRIVATE KEY` too)."""
    lines = text.splitlines()
    first = next(
        n for n, line in enumerate(lines) if line.startswith("-----BEGIN") and line.rstrip("- ").endswith(label)
    )
    last = next(n for n, line in enumerate(lines) if n > first and line.startswith("-----END"))
    return "\n".join(lines[first : last + 1]) + "\n"
