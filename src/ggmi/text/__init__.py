"""Records of a task: sources, prompts, parsing of what a model wrote, curation, and the data-set card."""
