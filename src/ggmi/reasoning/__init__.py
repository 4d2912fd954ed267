"""A reasoner whose right thoughts are known: problems in finite groups, chains, verifiers, and what they show."""
