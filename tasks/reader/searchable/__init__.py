"""A searchable copy: the untouched page, and over it, invisible, the words that OCR has read.

The copy is a derivative and not evidence. It is built in the cell, because the pages under the
words are hostile bytes, and read back in another process of it.
"""
