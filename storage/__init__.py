"""Evidence at rest and the proof of it: nouns, digests, object stores, custody log, catalogue."""
