"""Conclusions from the counts of a census: estimates, their intervals, and tests of change (docs/statistics.md).

Pure and vectorised: arrays of counts in, arrays of numbers out; no clock, no randomness, no table.
"""
