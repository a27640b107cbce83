"""Moodle through its REST web services."""

from connectors.moodle.client import MoodleSite
from connectors.moodle.models import MoodleSiteInfo

__all__ = ["MoodleSite", "MoodleSiteInfo"]
