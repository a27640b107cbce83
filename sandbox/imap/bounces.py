"""Messages that say that a letter was not delivered, as servers write them.

Source: RFC 3464 (multipart/report), in the shape of Exchange Online's and Postfix's; RFC 3462 for the header alone.
"""

from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP

MAILER = "MAILER-DAEMON@inbox.example.org"


def bounce(
    letter: bytes,
    *,
    recipient: str,
    returns_to: str,
    status: str = "5.1.1",
    action: str = "failed",
    diagnostic: str = "550 5.1.1 The email account that you tried to reach does not exist",
    whole: bool = False,
) -> bytes:
    """The report about `letter`. `whole`: with all of it, as servers return it that do not heed RET=HDRS."""
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = MAILER
    report["To"] = returns_to
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText("I'm sorry to have to inform you that your message could not be delivered.\n", "plain"))
    report.attach(_delivery_status(recipient, status=status, action=action, diagnostic=diagnostic))
    report.attach(_returned(letter, whole=whole))
    return report.as_bytes(policy=SMTP)


def _delivery_status(recipient: str, *, status: str, action: str, diagnostic: str) -> Message:
    of_all, of_one = Message(), Message()
    of_all["Reporting-MTA"] = "dns; inbox.example.org"
    of_one["Final-Recipient"] = f"rfc822; {recipient}"
    of_one["Action"] = action
    of_one["Status"] = status
    of_one["Diagnostic-Code"] = f"smtp; {diagnostic}"
    part = Message()
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([of_all, of_one])
    return part


def _returned(letter: bytes, *, whole: bool) -> Message:
    headers, _, _body = letter.partition(b"\r\n\r\n")
    part = EmailMessage()
    content = letter if whole else headers + b"\r\n\r\n"
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    part["Content-Type"] = kind
    part.set_payload(content.decode("utf-8", errors="replace"))
    return part
