"""What is asked of Graph, as docs/connectors/graph.md shows it. Source: contracts/graph.md, sections 9 and 12."""

from connectors.graph.models import Operation
from connectors.graph.permissions import in_words
from connectors.reference import CallReference, LimitReference, Reference
from lucy.errors import System


def _call(operation: Operation, request: str, when: str) -> CallReference:
    harmless = operation is not Operation.CREATE
    return CallReference(operation.value, request, when, in_words(operation), harmless=harmless)


REFERENCE = Reference(
    system=System.GRAPH,
    title="Entra ID through Microsoft Graph",
    summary="Accounts, licences and groups. Calls of any length go as `$batch` requests of up to 20, two at a time.",
    settings=(
        "LUCY_GRAPH_URL",
        "LUCY_LOGIN_URL",
        "LUCY_GRAPH_TENANT_ID",
        "LUCY_GRAPH_CLIENT_ID",
        "LUCY_GRAPH_CLIENT_SECRET",
        "LUCY_GRAPH_CERTIFICATE",
        "LUCY_CA_FILE",
        "LUCY_RATE_GRAPH",
        "LUCY_LICENCE_SKU",
        "LUCY_MAIL_TRANSPORT",
    ),
    calls=(
        _call(Operation.SIGN_IN, "POST /{tenant}/oauth2/v2.0/token", "first, and 5 minutes before a token ends"),
        _call(Operation.CREATE, "POST /users", "an account is made"),
        _call(Operation.FIND, "GET /users/{upn}", "before and after an account is made"),
        _call(Operation.READ, "GET /users/{id}", "before anything of an account is changed"),
        _call(Operation.UPDATE, "PATCH /users/{id}", "names or mark are set"),
        _call(Operation.ENABLE, "PATCH /users/{id} (accountEnabled)", "disable, enable"),
        _call(Operation.PASSWORD, "PATCH /users/{id} (passwordProfile)", "a new password is set"),
        _call(Operation.REVOKE, "POST /users/{id}/revokeSignInSessions", "after an account is disabled"),
        _call(Operation.DELETE, "DELETE /users/{id}", "an account of Lucy's is undone"),
        _call(Operation.DELETED, "GET /directory/deletedItems/microsoft.graph.user", "a deleted twin is looked for"),
        _call(Operation.RESTORE, "POST /directory/deletedItems/{id}/restore", "a deleted account comes back"),
        _call(Operation.SEATS, "GET /subscribedSkus", "seats are counted"),
        _call(Operation.LICENCE, "POST /users/{id}/assignLicense", "a licence is assigned"),
        _call(Operation.UNLICENCE, "POST /users/{id}/assignLicense", "a licence is taken"),
        _call(Operation.GROUP, "GET /groups/{id}", "the configuration is checked"),
        _call(Operation.MEMBERS, "GET /groups/{id}/members", "memberships are compared"),
        _call(Operation.JOIN, "POST /groups/{id}/members/$ref", "an account joins"),
        _call(Operation.LEAVE, "DELETE /groups/{id}/members/{user}/$ref", "an account leaves"),
        _call(
            Operation.SIGNS,
            "GET /users/{id} (lastPasswordChangeDateTime, signInActivity)",
            "whether a password was used",
        ),
        _call(Operation.CHANGES, "GET /users/delta", "changes by other hands are read"),
    ),
    limits=(
        LimitReference("requests in a `$batch`", "20", "Graph, JSON batching"),
        LimitReference("pace", "LUCY_RATE_GRAPH a second, each part of a `$batch` counts", "setting"),
        LimitReference("writes of one application in a tenant", "3,000 in 150 s", "Graph, throttling limits"),
        LimitReference("employeeId", "16 characters", "Graph, user resource"),
        LimitReference("one answer", "16 MB, 30 s", "connectors/http.py, connectors/graph/client.py"),
        LimitReference("a delta link", "7 days, then all is read anew", "Graph, delta query"),
    ),
    letters=("T",),
    notes=(
        "For new passwords some tenants want the role User Administrator beside the permission.",
        "Every request carries a fresh `client-request-id`; both ids stand in the log (`graph.call`) and in the step.",
        "In a `$batch` each throttled part waits by itself: its step is postponed, the others are done. The longest "
        "wait that Graph names silences every process.",
        "After a create without an answer the account is looked for; a 404 is believed only after two minutes.",
        "Sign-ins are told with the permission AuditLog.Read.All in a tenant with Entra ID P1; without, whether the "
        "password was changed tells as much.",
        "With `LUCY_MAIL_TRANSPORT=graph` letters go by POST /users/{LUCY_MAIL_FROM}/sendMail (`send`), one at a time, "
        "with `Mail.Send`, best limited to that mailbox by RBAC for Applications. As JSON, saveToSentItems false: as "
        "MIME each would stay in Sent Items with its password. Auto-Submitted and the plain text are then Exchange's.",
        "Links to further pages are followed on Graph's own host only.",
        "With `LUCY_GRAPH_URL` and `LUCY_LOGIN_URL` of a national cloud the token's scope is that cloud's.",
    ),
)
