"""Programs that train in a way of their own, each written once for all backends."""
