"""The connector's error answers, by the table "Status codes from bot conversational APIs".

Source: contracts/teams-bot.md, section 2, "Errors of the connector".
"""

from aiohttp import web


class ConnectorError(Exception):
    """One answer of failure: `{"error": {"code", "message"}}`."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, dict[str, str]]:
        return {"error": {"code": self.code, "message": str(self)}}

    def response(self) -> web.Response:
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        return web.json_response(self.body(), status=self.status, headers=headers)


def bad_argument(message: str) -> ConnectorError:
    return ConnectorError(400, "BadArgument", message)


def bad_syntax() -> ConnectorError:
    return ConnectorError(400, "BadSyntax", "The request body is not a JSON object")


def unauthorized() -> ConnectorError:
    return ConnectorError(401, "BotNotRegistered", "Authorization has been denied for this request.")


def not_own_message() -> ConnectorError:
    return ConnectorError(403, "NotEnoughPermissions", "A bot can change its own messages only.")


def not_in_roster() -> ConnectorError:
    return ConnectorError(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")


def conversation_not_found() -> ConnectorError:
    return ConnectorError(404, "ConversationNotFound", "Conversation not found.")


def activity_not_found() -> ConnectorError:
    return ConnectorError(404, "ActivityNotFoundInConversation", "Activity is not found in conversation.")


def member_not_found() -> ConnectorError:
    return ConnectorError(404, "MemberNotFoundInConversation", "The member is not part of the conversation.")


def overlapping() -> ConnectorError:
    return ConnectorError(412, "PreconditionFailed", "Precondition failed, please try again.")


def too_big() -> ConnectorError:
    return ConnectorError(413, "MessageSizeTooBig", "Message size too large.")


def throttled(retry_after_s: int) -> ConnectorError:
    return ConnectorError(429, "Throttled", "Too Many Requests", retry_after_s=retry_after_s)


def of_status(status: int) -> ConnectorError:
    """The usual error of a status, for faults."""
    usual = (unauthorized(), not_in_roster(), activity_not_found(), overlapping(), too_big(), throttled(1))
    for error in usual:
        if error.status == status:
            return error
    return ConnectorError(status, "ServiceError" if status >= 500 else "BadArgument", f"Fault {status}")
