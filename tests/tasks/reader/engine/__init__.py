"""The OCR worker and what it does to pixels."""
