"""The table: a module for each family of ops, with its `CASES` and `REFUSALS`."""
