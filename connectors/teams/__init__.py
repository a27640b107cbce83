"""Teams, outbound: cards posted and edited without anybody having written first. The only connector with botbuilder."""

from connectors.teams.authentication import BotIdentity, TeamsAuthentication
from connectors.teams.client import TeamsChannel

__all__ = ["BotIdentity", "TeamsAuthentication", "TeamsChannel"]
