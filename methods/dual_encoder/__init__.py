"""Dual encoder: queries and documents as vectors of one sentence encoder, fine-tuned on the training queries (DPR)."""
