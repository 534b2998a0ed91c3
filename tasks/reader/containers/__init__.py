"""Containers: what lies in them, listed without trust, and taken out in one pass.

Everything here runs inside the cell. Every format is one walker (``walker.py``) that yields its
entries in order; listing walks without taking, unpacking walks and takes. Which format a file
is in, its content decides (``kinds.py``), never its name.
"""
