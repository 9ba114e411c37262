"""Level 1: KerasTensor, Variable, scopes, dtypes, pytrees, the graph of operations."""
