"""Sequential recommenders: the next item from the items before it. See README.md."""
