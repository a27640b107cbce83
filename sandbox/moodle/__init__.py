"""A stateful Moodle 4.3 with the web-service facts of contracts/moodle.md."""

from sandbox.moodle.app import SERVER_PATH, build_app
from sandbox.moodle.models import Course, Enrolment, Group, User
from sandbox.moodle.state import MoodleState, Site

__all__ = ["SERVER_PATH", "Course", "Enrolment", "Group", "MoodleState", "Site", "User", "build_app"]
