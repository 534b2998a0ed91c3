"""Likeness: how alike two texts, images or files are; an aid to search, never a finding.

Pure: values in, values out. Every parameter is a constant of ``method``, so that somebody else
gets the same values from the same bytes with tools of their own (docs/likeness.md).
"""
