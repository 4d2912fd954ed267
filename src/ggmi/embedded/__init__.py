"""A small world in which real transformers do what the paper's pipeline does, with the truth known exactly."""
