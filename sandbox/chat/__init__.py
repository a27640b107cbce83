"""A chat in the browser with the bot, as anybody of the simulated team."""

from sandbox.chat.app import build_app, serving_chat

__all__ = ["build_app", "serving_chat"]
