"""Measuring models: metrics, intervals, time splits, the gate and plots."""
