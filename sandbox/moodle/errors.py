"""Moodle's application errors: HTTP 200 with `{"exception", "errorcode", "message"}`.

Source: contracts/moodle.md, "Errors" (measured on 4.3 with debugging off, so there is never a `debuginfo`).
"""


class MoodleError(Exception):
    """One answer of failure; `errorcode` is None for a PHP failure inside Moodle."""

    def __init__(self, *, exception: str, errorcode: str | None, message: str) -> None:
        super().__init__(message)
        self.exception = exception
        self.errorcode = errorcode
        self.message = message

    def body(self) -> dict[str, str]:
        """The JSON object Moodle sends."""
        answer = {"exception": self.exception, "message": self.message}
        if self.errorcode is not None:
            answer["errorcode"] = self.errorcode
        return answer


def invalid_parameter() -> MoodleError:
    """Any bad, missing, unknown or empty argument: no hint which one."""
    return MoodleError(
        exception="invalid_parameter_exception",
        errorcode="invalidparameter",
        message="Invalid parameter value detected",
    )


def invalid_token() -> MoodleError:
    return MoodleError(
        exception="moodle_exception", errorcode="invalidtoken", message="Invalid token - token not found"
    )


def access_denied() -> MoodleError:
    """Token expired, restricted by address or service, or the function is not in the service."""
    return MoodleError(
        exception="webservice_access_exception", errorcode="accessexception", message="Access control exception"
    )


def no_permission(capability: str) -> MoodleError:
    return MoodleError(
        exception="required_capability_exception",
        errorcode="nopermissions",
        message=f"Sorry, but you do not currently have permissions to do that ({capability}).",
    )


def course_not_visible() -> MoodleError:
    return MoodleError(
        exception="require_login_exception",
        errorcode="requireloginerror",
        message="Course or activity not accessible. (Not enrolled)",
    )


def record_missing(table: str) -> MoodleError:
    """Moodle names the missing user apart (`invaliduser`); any other table is `invalidrecord`."""
    return MoodleError(
        exception="dml_missing_record_exception",
        errorcode="invaliduser" if table == "user" else "invalidrecord",
        message="Invalid user" if table == "user" else f"Can't find data record in database table {table}.",
    )


def write_failed() -> MoodleError:
    """A column too short, a unique key broken, or two calls crossing."""
    return MoodleError(
        exception="dml_write_exception", errorcode="dmlwriteexception", message="Error writing to database"
    )


def coding_error(detail: str) -> MoodleError:
    return MoodleError(
        exception="coding_exception",
        errorcode="codingerror",
        message=f"Coding error detected, it must be fixed by a programmer: {detail}",
    )


def moodle_exception(errorcode: str, message: str) -> MoodleError:
    return MoodleError(exception="moodle_exception", errorcode=errorcode, message=message)


def php_failure(message: str) -> MoodleError:
    """A PHP failure inside: `"exception": "Error"` and no errorcode at all."""
    return MoodleError(exception="Error", errorcode=None, message=message)


def weak_password(complaints: list[str]) -> MoodleError:
    """Moodle puts the policy's HTML where the errorcode belongs (measured)."""
    html = "".join(f"<div>{complaint}</div>" for complaint in complaints)
    return MoodleError(exception="moodle_exception", errorcode=html, message=f"error/{html}")
