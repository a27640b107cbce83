"""Mail through SMTP."""

from connectors.mail_security import Security
from connectors.smtp.client import SmtpMailer

__all__ = ["Security", "SmtpMailer"]
