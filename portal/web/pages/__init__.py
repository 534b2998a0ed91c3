"""The pages of the queue, rendered on the server."""
