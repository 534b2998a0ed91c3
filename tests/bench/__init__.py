"""Benchmarks: each prints figures and ratios against a peer or limit measured in the same run."""
