"""The worker and scheduler processes: lanes, ingest, cards, and the watch over all of it."""
