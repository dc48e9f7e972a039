"""Choosing settings on validation items and development judgments: search spaces, trials, and what is proposed."""
