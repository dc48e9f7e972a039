"""Settings of the shared generative part: one fine-tuned T5 per task turns any semantic IDs into rankings.

The defaults are the paper's where it states them: history texts newest first, T5's full-vocabulary loss and scores,
20 beams, five pre-sampled pairs per user (LMIndexer's code; Jin et al., ICML 2024, section 5). Presets lie in
`presets.toml`; `--set generative.KEY=VALUE` changes all methods alike, `--set METHOD.generative.KEY=VALUE` one row.
"""

from typing import Literal

from pydantic import Field

from benchmark.config import MethodConfig, TrainingConfig
from benchmark.generative.t5 import ScratchConfig


class GenerativeConfig(MethodConfig):
    """Fine-tuning on (text -> ID) pairs and constrained beam search over the IDs of all items."""

    backbone: str = Field("scratch", description="scratch, or any T5 by hub name or path, e.g. t5-base")
    scratch: ScratchConfig = ScratchConfig()
    start: Literal["learned", "fresh"] = Field(
        "learned",
        description="start from the T5 and the code vectors that the indexer hands over, where it has learned a T5 "
        "(LMIndexer, section 3.4), or always from the plain backbone with random vectors for the codes",
    )
    inputs: Literal["text", "ids"] = Field(
        "text", description="history as item texts, newest first (LMIndexer), or as IDs, oldest first (TIGER)"
    )
    pairs: Literal["sampled", "all"] = Field(
        "sampled", description="five pre-sampled pairs per user (the paper), or every prefix of the training part"
    )
    max_source: int = Field(1024, ge=4, description="tokens of the input, the end-of-sequence token among them")
    recommendation: TrainingConfig = TrainingConfig(steps=10_000, batch_size=32, learning_rate=1e-3)
    search: TrainingConfig = TrainingConfig(steps=10_000, batch_size=32, learning_rate=1e-3)
    beams: int = Field(20, ge=1)
    scorer: Literal["full", "codes"] = Field(
        "full",
        description="score = log-softmax over the whole vocabulary, then prune (the paper, Hugging Face generate), "
        "or softmax over the codes the trie allows",
    )
    length_penalty: float = 1.0
    beam_batch: int = Field(32, ge=1, description="queries that one beam search takes at a time")
    search_error_queries: int = Field(
        0, ge=0, description="compare the beam with exact scoring of every item on this many queries (0: do not)"
    )
