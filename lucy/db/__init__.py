"""PostgreSQL: the truth of every batch, step and card. Repositories never commit; the edge of a turn or job does."""
