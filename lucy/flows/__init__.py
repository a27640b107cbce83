"""What Lucy does, one verb per file. Flows work in the caller's transaction and never commit."""
