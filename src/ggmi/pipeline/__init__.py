"""From anchors to synthetic sets: what ties records, prompts, models and curation together."""
