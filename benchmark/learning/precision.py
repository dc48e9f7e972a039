"""Which precision a training computes in: the one its settings ask for, where the device has it."""

from __future__ import annotations

import torch

from benchmark.types.method import Context

IN_FLOAT32 = "Trained in float32: the settings ask for bfloat16, which this {device} has no instructions for."


def has_bfloat16(device: str) -> bool:
    """Return whether PyTorch multiplies matrices of bfloat16 with instructions of the device.

    On an x86 CPU without AVX-512 it does so one number at a time, in some 40 times the time of float32.
    """
    if device.startswith("cuda"):
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def mixed_precision(asked: str, context: Context) -> str:
    """Return what Accelerate is told for 'auto', 'no', 'bf16' or 'fp16': the settings' own word, or 'no'.

    'auto' is 'bf16' on a GPU that has it and 'no' elsewhere. 'bf16' where the device does not have it becomes 'no',
    and a note of the context says so.
    """
    on_gpu = context.device.startswith("cuda")
    if asked == "auto":
        return "bf16" if on_gpu and has_bfloat16(context.device) else "no"
    if asked != "bf16" or has_bfloat16(context.device):
        return asked
    context.note(IN_FLOAT32.format(device="GPU" if on_gpu else "CPU"))
    return "no"
