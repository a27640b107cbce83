"""What is asked of the mail server, as docs/connectors/smtp.md shows it. Source: RFC 5321, 3207, 4954, 6531."""

from connectors.reference import CallReference, LimitReference, Reference
from lucy.errors import System

REFERENCE = Reference(
    system=System.MAIL,
    title="Mail through SMTP",
    summary="Letters one after another over one kept connection for each worker.",
    settings=(
        "LUCY_MAIL_TRANSPORT",
        "LUCY_SMTP_HOST",
        "LUCY_SMTP_PORT",
        "LUCY_SMTP_SECURITY",
        "LUCY_SMTP_USER",
        "LUCY_SMTP_PASSWORD",
        "LUCY_MAIL_FROM",
        "LUCY_MAIL_RETURN",
        "LUCY_MAIL_FALLBACK",
        "LUCY_RATE_MAIL",
        "LUCY_CA_FILE",
    ),
    calls=(
        CallReference("connect", "EHLO, STARTTLS, AUTH", "at the first letter, and when the server closed"),
        CallReference("send", "MAIL, RCPT, DATA", "a letter is due", "to send as LUCY_MAIL_FROM", harmless=False),
    ),
    limits=(
        LimitReference("pace", "LUCY_RATE_MAIL letters a minute", "setting; 30 is Exchange Online's"),
        LimitReference("letters a day", "`config correo.por_dia`", "10,000 is Exchange Online's"),
        LimitReference("a command's answer", "60 s", "connectors/smtp/client.py"),
    ),
    letters=("E",),
    notes=(
        "Certificates are verified; `LUCY_CA_FILE` adds a private authority.",
        "The Message-ID of a letter is the same for every attempt. A letter whose acceptance was lost goes out again.",
        "A refusal of the server (no connection, no login) stops the lane; one of the letter is that letter's.",
    ),
)
