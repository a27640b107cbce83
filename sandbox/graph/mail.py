"""sendMail: what Exchange takes from an application, as JSON, and where it goes.

Source: https://learn.microsoft.com/graph/api/user-sendmail, /graph/api/resources/message ("internetMessageHeaders":
custom ones begin with x-); 500 recipients and 4 MB: /graph/outlook-mail-concept-overview and Exchange Online limits.
"""

import json
import re
from email.message import EmailMessage
from email.policy import SMTP
from html import unescape
from typing import Any

from sandbox.graph.errors import GraphError, of_status
from sandbox.graph.request import Answer, GraphRequest
from sandbox.graph.state import GraphState

LONGEST = 4 * 2**20
MOST_RECIPIENTS = 500


def send_mail(state: GraphState, request: GraphRequest, target: str) -> Answer:
    """202 without a body. What is saved in Sent Items is counted: a letter with a password must not be."""
    if target.lower() not in state.mailboxes:
        raise GraphError("The requested user is invalid.", code="ErrorInvalidUser", status=404)
    if len(json.dumps(request.body)) > LONGEST:
        raise of_status(413)
    body = request.body if isinstance(request.body, dict) else {}
    message = body.get("message")
    if not isinstance(message, dict):
        raise GraphError("The Message parameter is missing.", code="ErrorInvalidParameter")
    recipients = _recipients(message)
    raw = _as_mime(message, recipients, sender=target)
    if str(body.get("saveToSentItems", True)).lower() != "false":
        state.saved_letters += 1
    state.deliver(target, recipients, raw)
    return Answer(202)


def _recipients(message: dict[str, Any]) -> list[str]:
    listed = message.get("toRecipients")
    addresses = [_address(one) for one in listed] if isinstance(listed, list) else []
    if not addresses or any("@" not in one for one in addresses):
        raise GraphError("At least one recipient is not valid.", code="ErrorInvalidRecipients")
    if len(addresses) > MOST_RECIPIENTS:
        raise GraphError("Too many recipients.", code="ErrorExceededMaxRecipientLimitOnMessage")
    return addresses


def _address(one: Any) -> str:
    held = one.get("emailAddress") if isinstance(one, dict) else None
    return str(held.get("address", "")) if isinstance(held, dict) else ""


def _as_mime(message: dict[str, Any], recipients: list[str], *, sender: str) -> bytes:
    """As Exchange writes it: a plain text of its own beside the HTML."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, ", ".join(recipients)
    mail["Subject"] = str(message.get("subject", ""))
    mail["Message-ID"] = str(message.get("internetMessageId", "<made@exchange.example>"))
    for header in message.get("internetMessageHeaders", []):
        name = str(header.get("name", ""))
        if not name.lower().startswith("x-"):
            text = "The internet message header name should start with 'x-' or 'X-'."
            raise GraphError(text, code="InvalidInternetMessageHeader")
        mail[name] = str(header.get("value", ""))
    content = message.get("body")
    if not isinstance(content, dict) or str(content.get("contentType", "")).lower() not in {"html", "text"}:
        raise GraphError("The body is not valid.", code="ErrorInvalidParameter")
    html = str(content.get("content", ""))
    mail.set_content(_as_text(html))
    mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


def _as_text(html: str) -> str:
    """What Exchange puts beside it: the text of the elements, one line each."""
    visible = re.sub(r"<(style|title)\b.*?</\1>", "", html, flags=re.IGNORECASE | re.DOTALL)
    return "\n".join(line.strip() for line in unescape(re.sub(r"<[^>]+>", "\n", visible)).split("\n") if line.strip())
