"""SIAL, the university's student records, in its two dialects. Read only."""

from connectors.sial.client import SialFlatRecords, SialRecords

__all__ = ["SialFlatRecords", "SialRecords"]
