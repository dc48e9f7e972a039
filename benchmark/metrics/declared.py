"""The suite's own metrics, each declared once: lists, tables, tooltips and footnotes read them here."""

from __future__ import annotations

from math import inf

from benchmark.metrics.metric import RANKED, Metric

QUALITY, SEARCH = ("id-quality",), ("search",)
MEGA = 1e-6

GROUP_NOTE = (
    "(strict, expected, optimistic): rankings of IDs, where the items that share an ID before the dedup counter come "
    "with the relevant ones last, in random order, or first. The plain value is of the items as they were "
    "ranked, and may lie outside."
)
PUBLISHED_NOTE = (
    "(published): LMIndexer's variant; the ideal ranking holds retrieved items alone, AP divides by the hits found."
)
DEPTH_NOTE = (
    "AMI@depth<d>: {description}. The more prefixes are unique to an item, the lower it must be, whatever they mean: "
    "neither high nor low is better."
)
ID_PARAMETERS_NOTE = "ID parameters: of the network that learns the IDs, with its text encoder where that learns too."
PARAMETERS_NOTE = "Parameters: of the model that ranks."
READINGS = (("strict", True, "last"), ("expected", True, "in random order"), ("optimistic", None, "first"))

ID_METRICS = (
    Metric(
        "AMI", "adjusted mutual information of the first code and the full category path (the paper's Table 1)",
        tasks=QUALITY, range=(-1, 1), footnote="AMI: {description}.",
    ),
    Metric(
        "AMI@depth<d>", "adjusted mutual information of the first <d> codes and the full category path",
        tasks=QUALITY, higher_is_better=None, range=(-1, 1), footnote=DEPTH_NOTE,
    ),
    Metric(
        "AMI@level<l>", "adjusted mutual information of the first code and the category path cut at level <l>",
        tasks=QUALITY, range=(-1, 1),
    ),
    Metric("NMI", "normalised mutual information of the first code and the full category path", tasks=QUALITY),
    Metric(
        "NMI (chance)", "NMI's mean over all shufflings of the codes; AMI is NMI corrected by it",
        tasks=QUALITY, higher_is_better=None, footnote="(chance): {description}.",
    ),
    Metric("labelled_items", "items that have a category path", tasks=QUALITY, unit="items", higher_is_better=None,
           range=(0, inf), digits=0),
    Metric(
        "co_purchase@<d>", "share of neighbours in the training histories whose first <d> codes agree",
        tasks=QUALITY, unit="share", higher_is_better=None, header="Co-purchase@<d>",
    ),
    Metric(
        "co_purchase@<d> (chance)",
        "share of random pairs of items, drawn as often as they occur in the training histories, whose first <d> codes "
        "agree",
        tasks=QUALITY, unit="share", higher_is_better=None, header="Co-purchase@<d> (chance)",
    ),
    Metric(
        "co_purchase_lift@<d>",
        "how many times more often neighbours in the training histories share their first <d> codes than random pairs "
        "of items with the same frequencies do; 1 is chance",
        tasks=QUALITY, unit="times", range=(0, inf), digits=2, header="Lift@<d>", footnote="Lift@<d>: {description}.",
    ),
    Metric("co_purchase_pairs", "pairs of neighbours in the training histories", tasks=QUALITY, unit="pairs",
           higher_is_better=None, range=(0, inf), digits=0),
    Metric(
        "stability@<d>",
        "adjusted Rand index of the groups of items that share their first <d> codes, mean over pairs of seeds",
        tasks=QUALITY, higher_is_better=None, range=(-1, 1), digits=3, header="Stability@<d>", source="seeds",
        footnote="Stability@<d>: {description}.",
    ),
    Metric(
        "unique", "share of items whose ID is unique before the dedup counter (1 - aliasing)",
        tasks=QUALITY, unit="share", header="Unique", footnote="Unique: {description}.",
    ),
    Metric(
        "collision_rate", "1 - distinct IDs / items, before the dedup counter",
        tasks=QUALITY, unit="share", higher_is_better=False, header="Collisions",
    ),
    Metric(
        "largest_group", "items in the largest group of equal IDs",
        tasks=QUALITY, unit="items", higher_is_better=False, range=(1, inf), digits=0, header="Largest group",
    ),
    Metric(
        "codes_used@<t>", "codes of position <t> that at least one item has",
        tasks=QUALITY, unit="codes", higher_is_better=None, range=(0, inf), digits=0, header="Codes@<t>",
    ),
    Metric(
        "dead_codes", "share of all codebooks' codes that no item has",
        tasks=QUALITY, unit="share", higher_is_better=False, header="Dead codes", footnote="Dead codes: {description}.",
    ),
    Metric(
        "dead_codes@<t>", "share of position <t>'s codebook that no item has",
        tasks=QUALITY, unit="share", higher_is_better=False, header="Dead codes@<t>",
    ),
    Metric(
        "fan_out@<t>", "mean number of codes at position <t> that follow the codes before it",
        tasks=QUALITY, unit="codes", higher_is_better=None, range=(1, inf), digits=2, header="Fan-out@<t>",
        footnote="Fan-out@<t>: {description}.",
    ),
    Metric(
        "perplexity@<t>", "exp of the entropy of the codes of position <t>",
        tasks=QUALITY, unit="codes", higher_is_better=None, range=(0, inf), digits=1, header="Perplexity@<t>",
    ),
    Metric(
        "gini@<t>",
        "Gini coefficient of the items of position <t>'s codes: 0 where all codes of the codebook have equally many",
        tasks=QUALITY, higher_is_better=None, digits=3, header="Gini@<t>", footnote="Gini@<t>: {description}.",
    ),
    Metric(
        "gini@<t> (events)",
        "Gini coefficient of the training events of position <t>'s codes: 0 where people take all codes equally often",
        tasks=QUALITY, higher_is_better=None, digits=3, header="Gini@<t> (events)",
        footnote="Gini@<t> (events): {description}.",
    ),
    Metric(
        "perplexity@<t> (events)", "exp of the entropy of the codes of position <t>, weighted by training events",
        tasks=QUALITY, unit="codes", higher_is_better=None, range=(0, inf), digits=1,
        header="Perplexity@<t> (events)",
    ),
    Metric(
        "distinct (head)",
        "distinct IDs / items among the head: the most popular items that together have half of the training events",
        tasks=QUALITY, unit="share", digits=3, header="Distinct, head", footnote="Head: {description}.",
    ),
    Metric(
        "distinct (tail)", "distinct IDs / items among all items but the head",
        tasks=QUALITY, unit="share", digits=3, header="Distinct, tail",
    ),
    Metric(
        "next_entropy@<d>",
        "bits that the first <d> codes of the item before leave to guess of the next item's, in the training histories",
        tasks=QUALITY, unit="bits", higher_is_better=None, range=(0, inf), digits=2, header="Next bits@<d>",
        footnote="Next bits@<d>: {description}.",
    ),
    Metric(
        "next_AMI@<d>",
        "adjusted mutual information of the first <d> codes of neighbours in the training histories; 0 is chance",
        tasks=QUALITY, higher_is_better=None, range=(-1, 1), digits=3, header="Next AMI@<d>",
        footnote="Next AMI@<d>: {description}.",
    ),
    Metric(
        "neighbour_hit@<d>", "mean share of an item's 10 nearest neighbours by title whose first <d> codes are its own",
        tasks=QUALITY, unit="share", higher_is_better=None, digits=3, header="Neighbours@<d>", source="files",
        footnote="Neighbours@<d>: {description}.",
    ),
    Metric(
        "neighbour_hit@<d> (chance)", "share of all pairs of two items whose first <d> codes agree",
        tasks=QUALITY, unit="share", higher_is_better=None, digits=3, header="Neighbours@<d> (chance)", source="files",
        footnote="Neighbours@<d> (chance): {description}.",
    ),
    Metric(
        "neighbour_lift@<d>",
        "how many times more often nearest neighbours by title share their first <d> codes than any two items do; 1 is "
        "chance",
        tasks=QUALITY, unit="times", range=(0, inf), digits=2, header="Neighbour lift@<d>", source="files",
        footnote="Neighbour lift@<d>: {description}.",
    ),
    Metric(
        "length", "mean number of codes per item, before the dedup counter",
        tasks=QUALITY, unit="codes", higher_is_better=None, range=(1, inf), digits=2, header="Length",
    ),
)  # fmt: skip

_RANKING = (
    Metric("R@<k>", "share of the relevant items among the first <k>", tasks=RANKED, unit="share"),
    Metric("nDCG@<k>", "normalised discounted cumulative gain of the first <k>, grades as gains", tasks=RANKED),
    Metric("RR@<k>", "1 / rank of the first relevant item, 0 where it is not among the first <k>", tasks=RANKED),
    Metric("P@<k>", "relevant items among the first <k>, divided by <k>", tasks=RANKED, unit="share"),
    Metric("Success@<k>", "1 where a relevant item is among the first <k>, else 0", tasks=RANKED, unit="share"),
    Metric(
        "AP@<k>", "mean of the precision at each relevant item among the first <k>, divided by all relevant items",
        tasks=SEARCH,
    ),
)  # fmt: skip
RANKING_METRICS = (
    *_RANKING,
    Metric(
        "nDCG@<k> (published)", "nDCG@<k> as LMIndexer's code computes it: the ideal ranking holds found items alone",
        tasks=SEARCH, footnote=PUBLISHED_NOTE,
    ),
    Metric(
        "AP@<k> (published)", "AP@<k> as LMIndexer's code computes it: divided by the relevant items found",
        tasks=SEARCH, footnote=PUBLISHED_NOTE,
    ),
    *(
        Metric(
            f"{metric.name} ({reading})",
            f"{metric.name} where, of the items that share an ID, the relevant ones come {place}",
            tasks=RANKED, unit=metric.unit, higher_is_better=higher, footnote=GROUP_NOTE,
        )
        for metric in _RANKING[:3]
        for reading, higher, place in READINGS
    ),
)  # fmt: skip
RECOMMENDATION = ("recommendation",)
BEYOND_ACCURACY = (
    Metric(
        "coverage@<k>", "share of the catalogue's items that are among the first <k> of at least one user",
        tasks=RECOMMENDATION, unit="share", higher_is_better=None, header="Coverage@<k>", source="files",
        footnote="Coverage@<k>: {description}.",
    ),
    Metric(
        "item_gini@<k>",
        "Gini coefficient of how often each of the catalogue's items is among the first <k>: 0 where all are as often",
        tasks=RECOMMENDATION, higher_is_better=None, digits=3, header="Item Gini@<k>", source="files",
        footnote="Item Gini@<k>: {description}.",
    ),
    Metric(
        "novelty@<k>",
        "mean self-information of the first <k> items: -log2 of an item's share of all training events; an item "
        "without any counts as taken once",
        tasks=RECOMMENDATION, unit="bits", higher_is_better=None, range=(0, inf), digits=2, header="Novelty@<k>",
        source="files", footnote="Novelty@<k>: {description}.",
    ),
    Metric(
        "popularity@<k>",
        "mean over the first <k> items of the share of the catalogue with fewer training events, and half of the share "
        "with as many; 0.5 for items drawn at random",
        tasks=RECOMMENDATION, unit="share", higher_is_better=None, digits=3, header="Popularity@<k>",
        source="files", footnote="Popularity@<k>: {description}.",
    ),
    Metric(
        "diversity@<k>",
        "1 - mean share of their category paths that two of the first <k> items have in common, over pairs with paths",
        tasks=RECOMMENDATION, higher_is_better=None, digits=3, header="Diversity@<k>", source="files",
        footnote="Diversity@<k>: {description}.",
    ),
)  # fmt: skip


def _cost(
    name: str, header: str, description: str, unit: str, digits: int, higher_is_better: bool | None = False,
    *, scale: float = 1.0, footnote: str = "",
) -> Metric:  # fmt: skip
    return Metric(
        name, description, unit=unit, higher_is_better=higher_is_better, range=(0, inf), digits=digits, header=header,
        footnote=footnote, source="cost", scale=scale,
    )  # fmt: skip


BEAM = (
    "how many of the ten items that exact scoring of the whole catalogue ranks highest the beam search did not rank "
    "among its ten, on average over a sample of users or queries"
)
TRIALS = (
    "settings that were tried before the row's were chosen, as its preset says; – where no preset says it or `--set` "
    "changed the preset"
)
TOTAL_NOTE = "Total s: all stages, the suite's own measuring (latency, beam misses) too."
TRAIN_NOTE = "Train s: a retriever's index too."
RANK_NOTE = "Rank s, Users/s, Queries/s: all users or queries ranked in batches."
LATENCY_NOTE = "p50, p99: latency of one user or query at a time (p99 from 100 calls on)."
COSTS = (
    _cost("seconds", "Total s", "time of all stages", "s", 1, footnote=TOTAL_NOTE),
    _cost("seconds.encode", "Encode s", "time to encode the texts", "s", 1),
    _cost("seconds.ids", "IDs s", "time to learn the IDs", "s", 1),
    _cost("seconds.train", "Train s", "time to train for the task", "s", 1, footnote=TRAIN_NOTE),
    _cost("seconds.rank", "Rank s", "time to rank for all users and queries", "s", 1,
          footnote=RANK_NOTE),
    _cost("peak_memory", "Peak MB", "peak memory", "MB", 0, scale=MEGA),
    _cost("peak_memory.gpu", "GPU MB", "peak GPU memory", "MB", 0, scale=MEGA),
    _cost("parameters.ids", "ID parameters M", "parameters that learn the IDs", "millions", 2, None, scale=MEGA,
          footnote=ID_PARAMETERS_NOTE),
    _cost("parameters", "Parameters M", "parameters that rank", "millions", 2, None, scale=MEGA,
          footnote=PARAMETERS_NOTE),
    _cost("index_bytes", "Index MB", "size of the index", "MB", 2, scale=MEGA),
    _cost("trials", "Trials", TRIALS, "settings", 0, None, footnote="Trials: {description}."),
    _cost("queries_per_second.recommendation", "Users/s", "users ranked per second, in batches", "per second", 1, True,
          footnote=RANK_NOTE),
    _cost("queries_per_second.search", "Queries/s", "queries ranked per second, in batches", "per second", 1, True,
          footnote=RANK_NOTE),
    *(
        _cost(f"latency_p{percent}.{task}", f"p{percent} ms ({short})",
              f"{percent}th percentile of the time for one user or query at a time", "ms", 1, footnote=LATENCY_NOTE)
        for task, short in (("recommendation", "rec."), ("search", "search"))
        for percent in (50, 99)
    ),
    *(
        _cost(f"beam_missing.{task}", f"Beam misses ({short})", BEAM, "items", 2,
              footnote="Beam misses: {description}.")
        for task, short in (("recommendation", "rec."), ("search", "search"))
    ),
)  # fmt: skip
CHURN = (
    Metric(
        "new_item", "share of the events after the cut in time whose item no training event has",
        tasks=RECOMMENDATION, unit="share", higher_is_better=None, digits=3, header="New item", source="files",
        footnote="New item: {description}.",
    ),
    Metric(
        "new_prefix@<d>", "share of the events after the cut in time whose first <d> codes no training event has",
        tasks=RECOMMENDATION, unit="share", higher_is_better=None, digits=3, header="New prefix@<d>", source="files",
        footnote="New prefix@<d>: {description}.",
    ),
    Metric(
        "code_drift@<d>",
        "total variation distance of the first <d> codes of training events and of events after the cut in time: 0 "
        "where people take all as often as before",
        tasks=RECOMMENDATION, higher_is_better=None, digits=3, header="Code drift@<d>", source="files",
        footnote="Code drift@<d>: {description}.",
    ),
)  # fmt: skip
BUILT_IN = (*ID_METRICS, *RANKING_METRICS, *BEYOND_ACCURACY, *CHURN, *COSTS)
