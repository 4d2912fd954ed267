"""Students: fine-tuned on sets of records, their risks and their answers."""
