"""Floor 1: KerasTensor, Variable, scopes, dtypes, trees, the graph of operations."""
