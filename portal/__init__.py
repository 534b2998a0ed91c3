"""The doors: command line, web pages and HTTP API; no rules of its own."""
