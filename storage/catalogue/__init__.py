"""The catalogue: everything of ours that lies in a database, and the only room with SQL."""
