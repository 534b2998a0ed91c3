"""What happens, in order: Prefect flows only, no branches on content."""
