"""Checks that ``make check`` runs beside the linters; each is a module with ``main()``."""
