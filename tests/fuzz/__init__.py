"""Fuzzing of every parser of ours: ``python -m tests.fuzz --seconds 60``, see docs/fuzzing.md."""
