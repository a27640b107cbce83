"""Letters through Graph's sendMail, as another transport behind the port of mail.

As JSON, not as MIME: only so can Exchange be told to keep no copy in Sent Items, where the password would stay. The
price: headers other than X-… cannot be set (no Auto-Submitted), and the plain text is Exchange's own.
Source: https://learn.microsoft.com/graph/api/user-sendmail; microsoftgraph/microsoft-graph-docs#18698 (MIME is always
saved), microsoftgraph/msgraph-sdk-dotnet#2209 (headers of MIME are dropped). Checked 2026-11.
"""

import json
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import structlog

from connectors.graph import wire
from connectors.graph.token import TokenSource
from connectors.http import Answer, Call, exchange
from connectors.mailbox import CONTROL, mailbox, sender_mailbox
from lucy.errors import Invalid, OutcomeUnknown, Refused, RemoteError, RemoteIds, RetryLater, System, Unreadable
from lucy.ports import Accepted, Letter, Limiter

OPERATION = "send"
PERMISSION = "Mail.Send"
TIMEOUT_S = 30.0
THROTTLED_WAIT_S = 60.0
DOWN_WAIT_S = 30.0
# Of the sender or its mailbox, not of the letter.
_NO_MAILBOX = frozenset(
    {"ErrorInvalidUser", "MailboxNotEnabledForRESTAPI", "ResourceNotFound", "Request_ResourceNotFound"}
)
_BAD_RECIPIENT = re.compile(r"Recipient|SmtpAddress", re.I)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sent:
    answer: Answer
    ids: RemoteIds


class GraphMailer:
    """`lucy.ports.Mailer`. `sender` is the From of every letter; its address is the mailbox that sends them."""

    def __init__(
        self,
        *,
        base_url: str,
        tokens: TokenSource,
        http: httpx.AsyncClient,
        limiter: Limiter,
        sender: str,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._tokens, self._http, self._limiter, self._timeout_s = tokens, http, limiter, timeout_s
        self._sender = sender_mailbox(sender)

    async def send(self, letters: Sequence[Letter]) -> AsyncIterator[tuple[str, Accepted | RemoteError]]:
        """One after another: Exchange takes four requests of a mailbox at a time, and workers are several."""
        for letter in letters:
            yield letter.key, await self._send_one(letter)

    async def probe(self) -> None:
        """Whether the application may send, and the mailbox of the sender is there. Nothing is sent.

        Raises RemoteError. A token that does not tell its permissions is taken at its word.
        """
        granted = wire.read_roles(await self._tokens.token())
        if granted and PERMISSION not in granted:
            raise Refused(System.MAIL, OPERATION, "E-017", f"{PERMISSION} is not granted")
        url = f"{self._base_url}/users/{quote(self._sender.address, safe='@')}?$select=id,mail"
        sent = await self._exchange("GET", url, None, harmless=True)
        if sent.answer.status != 200:
            raise _error(sent)

    async def _send_one(self, letter: Letter) -> Accepted | RemoteError:
        try:
            body = self._message(letter)
        except ValueError as error:
            return Invalid(System.MAIL, OPERATION, "E-001", detail=str(error))
        url = f"{self._base_url}/users/{quote(self._sender.address, safe='@')}/sendMail"
        try:
            await self._limiter.acquire(System.MAIL)
            sent = await self._exchange("POST", url, body, harmless=False)
        except Unreadable as error:  # an answer that is none proves nothing: the letter may be on its way
            return OutcomeUnknown(error.system, error.operation, error.code, error.detail, error.ids)
        except RemoteError as error:
            return error
        if sent.answer.status == 202:
            return Accepted(reply=f"202 {sent.ids.request_id}".strip())
        refusal = _error(sent)
        if isinstance(refusal, RetryLater) and refusal.throttled:
            await self._limiter.hold_back(System.MAIL, refusal.after_s)
        return refusal

    def _message(self, letter: Letter) -> dict[str, object]:
        """Raises ValueError for an address that is none, or a sign that no header may hold."""
        recipient = mailbox(letter.to_address, name=letter.to_name)
        if CONTROL.search(letter.subject) or CONTROL.search(letter.message_id):
            raise ValueError("a control character in a header")
        return {
            "message": {
                "subject": letter.subject,
                "body": {"contentType": "HTML", "content": letter.html},
                "from": _address(self._sender.address, self._sender.name),
                "toRecipients": [_address(recipient.address, recipient.name)],
                "internetMessageId": letter.message_id,
                "internetMessageHeaders": [
                    {"name": "X-Lucy-Letter", "value": letter.message_id},  # by which a returned one is known
                    {"name": "X-Auto-Response-Suppress", "value": "All"},
                ],
            },
            "saveToSentItems": False,
        }

    async def _exchange(self, method: str, url: str, body: object, *, harmless: bool) -> _Sent:
        """A token that was refused is renewed once. Raises RemoteError."""
        token = await self._tokens.token()
        sent = await self._once(method, url, body, token, harmless=harmless)
        if sent.answer.status == 401:
            sent = await self._once(method, url, body, await self._tokens.renew(token), harmless=harmless)
        return sent

    async def _once(self, method: str, url: str, body: object, token: str, *, harmless: bool) -> _Sent:
        own_id = str(uuid.uuid4())
        call = Call(
            System.MAIL,
            OPERATION,
            no_answer="E-006",
            unreadable="E-006",
            harmless=harmless,
            timeout_s=self._timeout_s,
            ids=RemoteIds(client_request_id=own_id),
        )
        content = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if content else {}
        request = self._http.build_request(method, url, headers=wire.headers(token, own_id) | kind, content=content)
        answer = await exchange(self._http, request, call)
        request_id = wire.safe_id(answer.headers.get("request-id", ""))
        log.info("graph.mail", status=answer.status, request_id=request_id, client_request_id=own_id)
        return _Sent(answer, RemoteIds(request_id, own_id))


def _address(address: str, name: str) -> dict[str, object]:
    return {"emailAddress": {"address": address, **({"name": name} if name else {})}}


def _error(sent: _Sent) -> RemoteError:
    """Sources: https://learn.microsoft.com/graph/errors; Exchange's codes are those of EWS (ResponseCode)."""
    status = sent.answer.status
    try:
        code = wire.read_problem(json.loads(sent.answer.body)).code
    except (ValueError, RecursionError):
        code = ""
    detail = f"HTTP {status} {code}".strip()
    ids = RemoteIds(sent.ids.request_id, sent.ids.client_request_id, code)
    if status == 429 or (status == 503 and sent.answer.retry_after_s() is not None):
        wait = sent.answer.retry_after_s() or THROTTLED_WAIT_S
        return RetryLater(System.MAIL, OPERATION, "E-019", detail, ids, after_s=wait, throttled=True)
    if status in (408, 503):
        return RetryLater(System.MAIL, OPERATION, "E-006", detail, ids, after_s=DOWN_WAIT_S)
    if status >= 500 or status < 400:  # an answer that is not sendMail's proves nothing
        return OutcomeUnknown(System.MAIL, OPERATION, "E-006", detail, ids)
    if status == 401:
        return Refused(System.MAIL, OPERATION, "E-005", detail, ids)
    if code in _NO_MAILBOX or status == 404:
        return Refused(System.MAIL, OPERATION, "E-018", detail, ids)
    if status == 403 and code != "ErrorSendAsDenied":
        return Refused(System.MAIL, OPERATION, "E-017", detail, ids)
    if status == 400 and _BAD_RECIPIENT.search(code):
        return Invalid(System.MAIL, OPERATION, "E-004", detail, ids)
    return Refused(System.MAIL, OPERATION, "E-002", detail, ids)
