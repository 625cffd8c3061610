"""Benchmarks that anyone can run: ``make bench``, or ``python -m benchmarks --help``.

Times drift from machine to machine and from minute to minute; ratios of variants that take turns in one process hold.
"""
