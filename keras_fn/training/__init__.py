"""Training: `fit`, `evaluate`, `predict` and the compiled steps they run."""
