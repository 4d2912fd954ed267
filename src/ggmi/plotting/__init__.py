"""Figures: labelled axes with units, colours that the colour-blind can tell apart, the numbers beside."""
