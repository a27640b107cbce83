"""The names under which calls are recorded and faults wait."""

TOKEN = "token"
DISCOVERY = "openid-configuration"
BATCH = "$batch"

CREATE_USER = "POST /users"
LIST_USERS = "GET /users"
GET_USER = "GET /users/{id}"
UPDATE_USER = "PATCH /users/{id}"
DELETE_USER = "DELETE /users/{id}"
REVOKE_SESSIONS = "POST /users/{id}/revokeSignInSessions"
ASSIGN_LICENSE = "POST /users/{id}/assignLicense"
LICENSE_DETAILS = "GET /users/{id}/licenseDetails"
LIST_DELETED = "GET /directory/deletedItems/microsoft.graph.user"
RESTORE = "POST /directory/deletedItems/{id}/restore"
SUBSCRIBED_SKUS = "GET /subscribedSkus"
ORGANIZATION = "GET /organization"
SEND_MAIL = "POST /users/{id}/sendMail"
DELTA = "GET /users/delta"
CHECK_MEMBER = "POST /users/{id}/checkMemberGroups"
GET_GROUP = "GET /groups/{id}"
LIST_MEMBERS = "GET /groups/{id}/members"
ADD_MEMBER = "POST /groups/{id}/members/$ref"
REMOVE_MEMBER = "DELETE /groups/{id}/members/{member}/$ref"

GRAPH_OPERATIONS = (
    CREATE_USER,
    LIST_USERS,
    GET_USER,
    UPDATE_USER,
    DELETE_USER,
    REVOKE_SESSIONS,
    ASSIGN_LICENSE,
    LICENSE_DETAILS,
    LIST_DELETED,
    RESTORE,
    SUBSCRIBED_SKUS,
    ORGANIZATION,
    SEND_MAIL,
    DELTA,
    CHECK_MEMBER,
    GET_GROUP,
    LIST_MEMBERS,
    ADD_MEMBER,
    REMOVE_MEMBER,
)
OPERATIONS = frozenset({TOKEN, DISCOVERY, BATCH, *GRAPH_OPERATIONS})
