"""Signing in with a certificate: a JWT signed with its key stands where the secret would.

Source: contracts/graph.md section 1 (AADSTS700027);
https://learn.microsoft.com/entra/identity-platform/certificate-credentials, checked 2026-10: RS256 or PS256, `x5t#S256`
or `x5t` names the certificate, `aud` is the token endpoint, `iss` and `sub` are the application.
"""

import base64
from collections.abc import Mapping

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sandbox.graph.state import GraphState
from sandbox.graph.token_refusal import TokenRefusal

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def refuse_assertion(state: GraphState, form: Mapping[str, str], *, audience: str) -> TokenRefusal | None:
    assertion = form.get("client_assertion", "")
    if state.client_certificate is None:
        return _refusal("The application has no certificate.")
    certificate = x509.load_pem_x509_certificate(state.client_certificate)
    try:
        header = jwt.get_unverified_header(assertion)
        if not _names(header, certificate):
            return _refusal("The certificate with this thumbprint is not registered on the application.")
        jwt.decode(
            assertion,
            certificate.public_key(),  # type: ignore[arg-type]
            algorithms=["RS256", "PS256"],
            audience=audience,
            issuer=state.client_id,
            subject=state.client_id,
            options={"require": ["exp", "aud", "iss", "sub", "jti"]},
        )
    except jwt.PyJWTError as error:
        return _refusal(f"Client assertion failed signature validation: {type(error).__name__}.")
    return None


def _names(header: Mapping[str, object], certificate: x509.Certificate) -> bool:
    prints = {"x5t#S256": certificate.fingerprint(hashes.SHA256()), "x5t": certificate.fingerprint(hashes.SHA1())}
    named = {name: header[name] for name in prints if name in header}
    return bool(named) and all(_coded(prints[name]) == str(sent).rstrip("=") for name, sent in named.items())


def _coded(fingerprint: bytes) -> str:
    return base64.urlsafe_b64encode(fingerprint).rstrip(b"=").decode()


def _refusal(message: str) -> TokenRefusal:
    return TokenRefusal(401, "invalid_client", 700027, message)
