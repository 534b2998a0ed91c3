"""Programs that others wrote judge a log that ours made: see ``docs/independent.md``."""
