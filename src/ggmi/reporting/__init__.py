"""From tables to a page a person reads: verdicts in sentences, tables, figures, provenance."""
