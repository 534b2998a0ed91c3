"""Work sent out and brought back: agencies, commissions, packages, clocks, opinions, queue."""
