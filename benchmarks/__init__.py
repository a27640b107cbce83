"""Measurements that the design's numbers rest on. Run one by its name: `python -m benchmarks limiter`."""
