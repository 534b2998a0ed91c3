"""Malformed and adversarial bundles, each with the verdict that it must get."""
