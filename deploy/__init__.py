"""Set-up, Prefect deployments, sample material."""
