"""Answers rated by a judge: prompts, verdicts, the judge's own test, and Table 1 with intervals."""
