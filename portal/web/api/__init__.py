"""The programming interface of the queue, below ``/api/v1``."""
