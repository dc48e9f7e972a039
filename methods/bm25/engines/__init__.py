"""The engines of BM25: each indexes and ranks, all give the same rankings. See ../README.md."""
