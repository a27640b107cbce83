"""A simulated student-records source with the facts of contracts/sial.md."""

from sandbox.sial.app import V1_BASE, V2_BASE, build_app
from sandbox.sial.data import LISTS, SialData, SialEntry, Unusable
from sandbox.sial.people import make_people
from sandbox.sial.state import SialState

__all__ = [
    "LISTS",
    "V1_BASE",
    "V2_BASE",
    "SialData",
    "SialEntry",
    "SialState",
    "Unusable",
    "build_app",
    "make_people",
]
