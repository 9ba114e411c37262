"""Cases of `ops.image`, by chapter."""
