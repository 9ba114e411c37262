"""Zip archives: a strict reader, and a writer of members that are not compressed."""
