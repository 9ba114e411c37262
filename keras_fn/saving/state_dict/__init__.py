"""State dicts of PyTorch: their sources, names and layouts, and the report of loading one."""
