"""The OCR worker: engines that are too large to be loaded for each page, in a cell of their own.

``serve`` is the inside: one process that keeps its engine loaded and reads raw pixels, several
pages at a time. ``rapid`` is the engine. Whatever parses a picture runs elsewhere, in the forked
child of the ordinary worker; only width, height and that many bytes come in here.
"""
