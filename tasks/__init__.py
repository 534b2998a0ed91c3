"""The steps: Prefect tasks over batches, each a few lines over a plain function beside it."""
