"""The queue's web pages and programming interface; no rules of its own."""
