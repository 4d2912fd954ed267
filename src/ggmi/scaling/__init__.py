"""What more samples of a model, or a better choice among them, are worth: exact expectations, extraction, verdict."""
