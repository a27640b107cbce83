"""Mail through SMTP."""

from connectors.smtp.client import SmtpMailer
from connectors.smtp.models import Security

__all__ = ["Security", "SmtpMailer"]
