"""From boxes that an engine saw to lines in the order in which a person reads them.

Pure rules without input or output: no image, no engine, no numpy. What comes in is ``Seen``.
"""
