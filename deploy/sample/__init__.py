"""Invented sample material for the demonstration and the tests; no real firm or person."""
