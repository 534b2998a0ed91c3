"""The headless client of an agency: packages come into one folder, opinions go out of another.

It talks to the queue over HTTP alone and needs no workspace, no database and no engine: the
standard library, httpx, and what writes files durably.
"""
