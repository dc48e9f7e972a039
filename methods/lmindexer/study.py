"""The training study of the paper: how well an ID explains its document, how many codes live, do neighbours differ.

- `macro_f1`: of the reconstructor's most likely token against the true one, over the scored tokens of the items
  (scikit-learn's macro average over the tokens that occur as either), and `micro_f1`, its accuracy;
- `perplexity`: exp of the entropy of the position's codes, 1 .. codebook size. Over all items, as the learner has
  them: a sample's is biased low (256 equally frequent codes: 192 over 500 items);
- `agreement`, behind the first position: share of the earlier codes that the model would still choose today;
- `diff_ratio`: number of different codes in a group of a document and its hard negatives, divided by the group's
  size, averaged; 1 / size when all agree.
Formulas: the released code's IDGen/utils.py. Measured in eval mode on the training items, as there; all but the
perplexity on `study_items` of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.types.arrays import Int32, Int64

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.methods.lmindexer.config import LMIndexerConfig
    from benchmark.methods.lmindexer.documents import Documents
    from benchmark.methods.lmindexer.negatives import PrefixGroups
    from benchmark.methods.lmindexer.network import LMIndexerNetwork, Stage

BATCH = 256  # documents that go through the network at a time


@torch.no_grad()
def measure(
    network: LMIndexerNetwork,
    documents: Documents,
    prefix: Tensor,
    groups: PrefixGroups,
    stage: Stage,
    config: LMIndexerConfig,
    seed: int,
) -> dict[str, float]:
    """Return the measures of one position on `config.study_items` items; prefix int64 [n, t - 1] of all items.

    Without codes only the F1s and the agreement. Draws nothing from the global random state: training goes on as if
    unmeasured.
    """
    was_training = network.training
    network.eval()
    device, position = prefix.device, prefix.shape[1]
    generator = torch.Generator(device).manual_seed(seed)
    rows = torch.randperm(len(documents), generator=generator, device=device)[: config.study_items]
    members = torch.cat([rows[:, None], groups.sample(rows, config.negatives, generator)], dim=1)
    truth, predicted, codes, kept = [], [], [], []
    for part in torch.split(members, BATCH // members.shape[1] + 1):
        anchors, negatives = part[:, 0], part[:, 1:].flatten()
        batch = documents.batch(anchors, prefix[anchors], len(part))
        tokens = torch.arange(batch.ids.shape[1], device=device).expand(len(part), -1)
        hidden = network.hidden(batch)
        kept += [network.codes(hidden[:, j], j) == batch.prefix[:, j] for j in range(position)]
        logits, target = network.reconstruct(hidden[:, -1], batch, stage, tokens, generator)
        truth.append(target[target >= 0].cpu())
        predicted.append(logits.argmax(-1)[target >= 0].cpu())
        if not stage.no_code:
            others = network.hidden(documents.batch(negatives, prefix[negatives], len(negatives)))
            found = [network.codes(h[:, -1], position).view(len(part), -1) for h in (hidden, others)]
            codes.append(torch.cat(found, dim=1).cpu())
    network.train(was_training)
    measured = f1(torch.cat(truth).numpy(), torch.cat(predicted).numpy())
    if kept:
        measured["agreement"] = float(torch.cat(kept).float().mean())
    if codes:
        measured["diff_ratio"] = diff_ratio(torch.cat(codes).numpy())
    return measured


def f1(truth: Int64, predicted: Int64) -> dict[str, float]:
    """Return macro-F1 over the tokens that occur, and micro-F1 (the accuracy)."""
    from sklearn.metrics import f1_score

    if not len(truth):
        return {"macro_f1": 0.0, "micro_f1": 0.0}
    macro = f1_score(truth, predicted, average="macro", zero_division=0)
    return {"macro_f1": float(macro), "micro_f1": float((truth == predicted).mean())}


def perplexity(codes: Int32) -> float:
    """Return exp(entropy) of the codes' histogram, codes int32 [n]."""
    share = np.unique(codes, return_counts=True)[1] / len(codes)
    return float(np.exp(-(share * np.log(share)).sum()))


def diff_ratio(groups: Int64) -> float:
    """Return the mean share of different codes in the rows of groups [n, size]."""
    ordered = np.sort(groups, axis=1)
    different = 1 + (np.diff(ordered, axis=1) != 0).sum(axis=1)
    return float(different.mean() / groups.shape[1])
