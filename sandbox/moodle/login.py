"""`POST /login/token.php`: a token for a name, a password and a service.

Source: Moodle's `login/token.php` (read, not measured): always HTTP 200, with `token` or with `errorcode`.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.moodle.models import SERVICE_USER
from sandbox.moodle.state import MoodleState

LOGIN_PATH = "/login/token.php"
LOGIN = "login/token.php"


def sign_in(state: MoodleState, form: Mapping[str, str]) -> dict[str, Any]:
    """The same token while it is good, as Moodle does; a new one after it ended."""
    known = hmac.compare_digest(form.get("password", "").encode(), state.password.encode()) and state.password
    if form.get("username") != SERVICE_USER.username or not known:
        return _refusal("invalidlogin", "Invalid login, please try again")
    if form.get("service") != state.service:
        return _refusal("servicenotavailable", "Web service is not available.")
    if state.site.account_problem is not None:
        return _refusal(state.site.account_problem, "Access refused for this account")
    if not state.token_valid:
        state.token, state.token_valid = secrets.token_hex(16), True
    return {"token": state.token, "privatetoken": None}


def _refusal(errorcode: str, message: str) -> dict[str, Any]:
    return {"error": message, "errorcode": errorcode, "stacktrace": None, "debuginfo": None, "reproductionlink": None}
