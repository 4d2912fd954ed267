"""Search at test time: many whole answers, a beam over steps, a tree; for any policy and any verifier."""
