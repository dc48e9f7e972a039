"""An example metric of every ranking: at which rank does the first relevant item stand?"""

from benchmark.metrics.metric import QueryMetric


def rank_of_first(ranked, grades):
    """Return the rank of the first relevant item, 21 where none is among the 20 that were ranked."""
    return next((rank for rank, item in enumerate(ranked, 1) if grades.get(item, 0) >= 1), 21)


FIRST_RANK = QueryMetric(
    "first_rank", "rank of the first relevant item, 21 where it was not found", compute=rank_of_first,
    higher_is_better=False, range=(1, 21), digits=1, header="First rank", footnote="First rank: {description}.",
)  # fmt: skip
