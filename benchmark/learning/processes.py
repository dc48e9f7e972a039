"""The processes of `accelerate launch` or `torchrun`."""

import os


def process_rank() -> int:
    """This process's number among those of `accelerate launch` or `torchrun`; 0 outside them."""
    return int(os.environ.get("RANK", "0"))


def processes() -> int:
    """How many processes the launcher started; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))
