"""Floor 5: fit, evaluate and predict, and what they are made of."""
