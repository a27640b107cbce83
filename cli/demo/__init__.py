"""`lucy demo`: two people, one night and one morning, on the real house with simulated providers."""
