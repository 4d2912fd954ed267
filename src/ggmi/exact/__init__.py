"""What studies of exact theory share: expression trees, statements and regimes, ascent, certificates."""
