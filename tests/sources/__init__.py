"""Sources: their cards, how they are reached, how people set them up."""
