"""The cell: everything that opens hostile bytes, in a sandbox without network or storage.

``cell`` is the outside (it starts the sandbox, hands over open descriptors and distrusts the
answers); ``worker`` and ``jobs`` are the inside; ``answer`` is the border between them.
"""
