"""Settings of the shared generative part: a reader and an ID decoder per task turn any semantic IDs into rankings.

The defaults are the paper's where it states them: a T5 that reads texts, newest item first, full-vocabulary loss and
scores, 20 beams, five pre-sampled pairs per user (LMIndexer's code; Jin et al., ICML 2024, section 5). Presets lie in
`presets.toml`; `--set generative.KEY=VALUE` changes all methods alike, `--set METHOD.generative.KEY=VALUE` one row.

Readers give the states that the ID decoder attends to:

    text       a T5 encoder over texts: item texts newest first, or the query (the paper)
    ids        a T5 encoder over the items' semantic IDs, oldest first (TIGER)
    items      a causal Transformer over items, one state per position: a whole history is one example
    sentence   a sentence encoder's vector of the query, and its words
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from benchmark.config import EncoderConfig, MethodConfig, TrainingConfig
from benchmark.generative.t5 import ScratchConfig


class IdsConfig(MethodConfig):
    """The reader `ids`, and its T5 from scratch: no text vocabulary, only special, user and code tokens."""

    backbone: str = Field("scratch", description="`scratch`, or any T5 by hub name or path, which keeps its words")
    d_model: int = Field(128, ge=8, le=16_384)
    layers: int = Field(2, ge=1, le=1024, description="encoder layers, and as many decoder layers")
    heads: int = Field(4, ge=1, le=1024)
    d_kv: int = Field(0, ge=0, le=16_384, description="width of a head; 0: d_model // heads")
    d_ff: int = Field(512, ge=8, le=65_536)
    dropout: float = Field(0.1, ge=0, lt=1)
    user_tokens: int = Field(
        0, ge=0, description="each user is hashed to one of so many tokens, which stands before the history; 0: none"
    )
    max_items: int = Field(
        20, ge=1, le=100_000, description="items that are read, the most recent ones that fit into max_source"
    )

    @model_validator(mode="after")
    def _heads_have_a_width(self) -> Self:
        if not self.d_kv and self.d_model % self.heads:
            raise ValueError(f"ids.heads: {self.heads} heads do not divide d_model {self.d_model}; set d_kv")
        return self


class ItemsConfig(MethodConfig):
    """The reader `items`."""

    vectors: Literal["ids", "text", "both", "table"] = Field(
        "ids",
        description="an item is the codes of its ID, its text embedding, both, or a row of a learned table "
        "(a control: item identities as in SASRec)",
    )
    encoder: EncoderConfig = EncoderConfig()
    max_length: int = Field(50, ge=1, le=100_000, description="items that are read, the most recent ones")
    layers: int = Field(2, ge=1, le=1024)
    heads: int = Field(4, ge=1, le=1024)
    dropout: float = Field(0.3, ge=0, lt=1)


class NeighboursConfig(MethodConfig):
    """Targets of search drawn from the items whose texts are like the training text."""

    share: float = Field(0.0, ge=0, le=1, description="share of the targets that are drawn so; 0: none")
    count: int = Field(32, ge=1, description="nearest items of a text to draw from")
    words: float = Field(
        0.5, ge=0, description="weight of the tf-idf cosine of word pieces beside the cosine of the encoder's vectors"
    )
    temperature: float = Field(0.05, gt=0, description="they are drawn by exp(likeness / temperature)")


class GeneralQueriesConfig(MethodConfig):
    """Training queries of words that an item shares with its neighbours, beside those of the data set.

    Unlike simulated training queries they are not compared with the held-out ones: by chance some have the very words
    of a simulated development or test query of their own item (on Amazon Beauty for about 4% of the test queries).
    """

    per_item: int = Field(0, ge=0, le=1000, description="general queries of every item; 0: none")
    shared: int = Field(3, ge=1, description="neighbours that must hold a word")
    mean_length: float = Field(3.0, ge=1, le=100, description="mean number of words of a query")


class SentenceConfig(MethodConfig):
    """The reader `sentence`."""

    encoder: EncoderConfig = EncoderConfig()
    inputs: Literal["vector", "words", "both"] = Field(
        "both",
        description="the encoder's vector of the query, learned vectors of its word pieces, or their sum",
    )
    learning_layers: int = Field(
        0, ge=-1, description="upper layers of the encoder that learn with the reader; 0: it is frozen, -1: all of it"
    )
    encoder_rate: float = Field(0.02, gt=0, description="share of the learning rate with which the encoder learns")
    vector_scale: float = Field(
        10.0, gt=0, description="the vector of length 1 is scaled by this; the smaller, the more its words count"
    )
    neighbours: NeighboursConfig = NeighboursConfig()
    general_queries: GeneralQueriesConfig = GeneralQueriesConfig()
    max_words: int = Field(32, ge=1, le=100_000, description="word pieces of a query or an item text that are read")
    word_dropout: float = Field(0.0, ge=0, lt=1, description="share of the word pieces left out at random in training")

    @model_validator(mode="after")
    def _encoder_learns_here_alone(self) -> Self:
        if self.encoder.simcse_epochs:
            raise ValueError(
                "sentence.encoder.simcse_epochs: this reader takes the encoder as it is, or lets it learn with the "
                "reader (learning_layers); leave it at 0"
            )
        if self.learning_layers and self.inputs == "words":
            raise ValueError("sentence.learning_layers: with inputs 'words' the encoder is not read; leave it at 0")
        return self


class DecoderConfig(MethodConfig):
    """The ID decoder behind the readers `items` and `sentence`; a T5 brings its own."""

    width: int = Field(128, ge=8, le=16_384, description="width of the decoder and of the reader's states")
    blocks: int = Field(2, ge=1, le=1024)
    inner: int = Field(4, ge=1, le=1024, description="width of a block's inner layer, in multiples of `width`")
    dropout: float = Field(0.1, ge=0, lt=1)


class TaskConfig(TrainingConfig):
    """Training for one task; the weights that are kept are the best ones where `evaluations` is above 0."""

    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of the target spread evenly over the allowed codes (T5: over all tokens)"
    )
    evaluations: int = Field(
        0,
        ge=0,
        description="at most so many evaluations by nDCG@10 on validation items or development queries; the best "
        "weights are kept; 0: keep those of the last step",
    )
    patience: int = Field(5, ge=1, description="evaluations without a better nDCG@10 that end the training")
    validation_size: int = Field(2000, ge=1, description="users or queries that an evaluation ranks for")


class RecommendationConfig(TaskConfig):
    """Next-item recommendation."""

    reader: Literal["text", "ids", "items"] = Field("text", description="what reads the history")


class SearchConfig(TaskConfig):
    """Search."""

    reader: Literal["text", "sentence"] = Field("text", description="what reads the query")
    item_texts: bool = Field(
        False, description="learn from the items' own texts too (the indexing task of DSI, Tay et al., NeurIPS 2022)"
    )
    simulated_per_item: int = Field(
        0,
        ge=0,
        description="learn from so many simulated queries per item: beside judged training queries, or in place of the "
        "data set's own simulated ones",
    )


class GenerativeConfig(MethodConfig):
    """Training on (history or query -> ID) examples and constrained beam search over the IDs of all items."""

    backbone: str = Field("scratch", description="text: `scratch`, or any T5 by hub name or path, e.g. t5-base")
    scratch: ScratchConfig = ScratchConfig()
    ids: IdsConfig = IdsConfig()
    items: ItemsConfig = ItemsConfig()
    sentence: SentenceConfig = SentenceConfig()
    decoder: DecoderConfig = DecoderConfig()
    start: Literal["learned", "fresh"] = Field(
        "learned",
        description="initial weights: the T5 and the code vectors that the indexer has learned (LMIndexer, section "
        "3.4), where it has any and the reader can take them, or random ones",
    )
    pairs: Literal["sampled", "all"] = Field(
        "sampled", description="text and ids: five pre-sampled pairs per user (the paper), or every prefix"
    )
    max_source: int = Field(
        1024, ge=4, le=100_000, description="text and ids: tokens of the input, end of sequence among them"
    )
    recommendation: RecommendationConfig = RecommendationConfig(steps=10_000, batch_size=32, learning_rate=1e-3)
    search: SearchConfig = SearchConfig(steps=10_000, batch_size=32, learning_rate=1e-3)
    beams: int = Field(20, ge=1, le=10_000)
    scorer: Literal["auto", "full", "codes"] = Field(
        "auto",
        description="full: log-softmax over the whole vocabulary, then prune (the paper, Hugging Face generate); "
        "codes: softmax over the codes that the trie allows; auto: full behind a T5, codes behind the other readers, "
        "as each is trained",
    )
    length_penalty: float = Field(1.0, ge=-100, le=100)
    beam_batch: int = Field(32, ge=1, description="queries that one beam search takes at a time")
    history: Literal["keep", "exclude"] = Field(
        "keep",
        description="recommendation: items the user already has may be ranked (the paper), or are taken out of what "
        "the beam search has found",
        exclude_if=lambda rule: rule == "keep",  # results of versions without this setting are of the same settings
    )
    search_error_queries: int = Field(
        0, ge=0, description="compare the beam with exact scoring of every item on this many queries (0: do not)"
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.decoder.width % self.items.heads:
            raise ValueError(f"items.heads: {self.items.heads} heads do not divide decoder.width {self.decoder.width}")
        for reader in (self.recommendation.reader, self.search.reader):
            if self.scorer == "full" and reader in ("items", "sentence"):
                raise ValueError(
                    f"scorer: 'full' is the softmax of a T5 over its vocabulary; the reader '{reader}' is trained on "
                    "the codes that the trie allows: choose auto or codes"
                )
        return self

    def scorer_of(self, reader: str) -> Literal["full", "codes"]:
        """Return how the decoder behind a reader is scored."""
        if self.scorer == "auto":
            return "full" if reader in ("text", "ids") else "codes"
        return self.scorer
