"""Layout: boxes into lines, columns and tables."""
