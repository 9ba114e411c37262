"""The table: a module for each chapter of ops, with its `CASES` and `REFUSALS`."""
