"""Models as tables, as Mermaid text and as pictures."""
