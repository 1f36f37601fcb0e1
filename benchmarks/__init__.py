"""Benchmarks: every figure is a ratio to a reference measured in the same run.

``python -m benchmarks`` prints the table and writes it as JSON; ``--quick`` only shows that all of it runs.
"""
