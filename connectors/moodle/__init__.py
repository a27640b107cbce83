"""Moodle through its REST web services."""

from connectors.moodle.client import MoodleSite

__all__ = ["MoodleSite"]
