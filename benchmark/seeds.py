"""The numbers that can be a seed."""

SEEDS = range(2**32)  # what NumPy and PyTorch both take
