"""Entra ID through Microsoft Graph."""

from connectors.graph.certificate import Certificate
from connectors.graph.client import GraphDirectory
from connectors.graph.token import MsalTokens, TokenSource

__all__ = ["Certificate", "GraphDirectory", "MsalTokens", "TokenSource"]
