"""The login authority: discovery and the client-credentials token.

Source: contracts/graph.md section 1; contracts/packages.md (what MSAL asks of a local authority). Codes that are not
in the contract (AADSTS90002, 70003, 1002012) are from https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

import base64
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.graph.assertion import ASSERTION_TYPE, refuse_assertion
from sandbox.graph.errors import unauthorized
from sandbox.graph.state import GraphState, IssuedToken
from sandbox.graph.token_refusal import TokenRefusal


def discovery(state: GraphState, *, origin: str) -> dict[str, Any]:
    """The OpenID configuration; MSAL wants the issuer on the authority's own host."""
    base = f"{origin}/{state.tenant_id}"
    return {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def refuse_tenant(state: GraphState, tenant: str) -> TokenRefusal | None:
    if tenant.lower() in (state.tenant_id.lower(), *state.domains):
        return None
    return TokenRefusal(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")


def refuse_client(state: GraphState, form: Mapping[str, str], *, audience: str) -> TokenRefusal | None:
    """Grant, application, secret or certificate, and scope, in that order. `audience`: the token endpoint's address."""
    if form.get("grant_type") != "client_credentials":
        return TokenRefusal(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
    client_id = form.get("client_id", "")
    if client_id.lower() != state.client_id.lower():
        message = f"Application with identifier '{client_id}' was not found in the directory."
        return TokenRefusal(400, "unauthorized_client", 700016, message)
    if form.get("client_assertion_type") == ASSERTION_TYPE:
        return refuse_assertion(state, form, audience=audience) or _refuse_scope(form)
    if not hmac.compare_digest(form.get("client_secret", "").encode(), state.client_secret.encode()):
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{client_id}'."
        )
        return TokenRefusal(401, "invalid_client", 7000215, message)
    if state.behaviour.secret_expired:
        message = f"The provided client secret keys for app '{client_id}' are expired."
        return TokenRefusal(401, "invalid_client", 7000222, message)
    return _refuse_scope(form)


def _refuse_scope(form: Mapping[str, str]) -> TokenRefusal | None:
    scopes = form.get("scope", "").split()
    if len(scopes) != 1 or not scopes[0].endswith("/.default"):
        message = f"The provided value for scope {form.get('scope', '')} is not valid; it must end in /.default."
        return TokenRefusal(400, "invalid_scope", 1002012, message)
    return None


def refusal_body(refusal: TokenRefusal, *, now: float) -> dict[str, Any]:
    timestamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace_id, correlation_id = str(uuid.uuid4()), str(uuid.uuid4())
    return {
        "error": refusal.error,
        "error_description": (
            f"AADSTS{refusal.number}: {refusal.message} Trace ID: {trace_id} Correlation ID: {correlation_id} "
            f"Timestamp: {timestamp}"
        ),
        "error_codes": [refusal.number],
        "timestamp": timestamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
    }


def issue_token(state: GraphState, *, origin: str) -> dict[str, Any]:
    """A token that lives `token_lifetime_s` seconds and holds the tenant's consents of this moment, as a JWT does.

    Only this simulator takes it: it is known by its text, and its signature is no signature.
    """
    now, lifetime_s = state.clock(), state.behaviour.token_lifetime_s
    claims = {
        "aud": "https://graph.microsoft.com",
        "iss": f"{origin}/{state.tenant_id}/v2.0",
        "appid": state.client_id,
        "tid": state.tenant_id,
        "roles": sorted(state.permissions),
        "iat": int(now),
        "exp": int(now + lifetime_s),
        "uti": secrets.token_urlsafe(16),
    }
    token = ".".join((_part({"typ": "JWT", "alg": "RS256"}), _part(claims), secrets.token_urlsafe(48)))
    state.tokens[token] = IssuedToken(now + lifetime_s, frozenset(state.permissions))
    return {
        "token_type": "Bearer",
        "expires_in": int(lifetime_s),
        "ext_expires_in": int(lifetime_s),
        "access_token": token,
    }


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def check_bearer(state: GraphState, authorization: str | None) -> frozenset[str]:
    """The token's permissions. Raises GraphError (401 InvalidAuthenticationToken)."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("Access token is empty.")
    issued = state.tokens.get(token.strip())
    if issued is None:
        raise unauthorized("Access token validation failure.")
    if issued.expires_at <= state.clock():
        raise unauthorized("Access token has expired or is not yet valid.")
    return issued.roles
