"""LMIndexer: semantic IDs learned by a language model from text alone (Jin et al., ICML 2024). See README.md."""
