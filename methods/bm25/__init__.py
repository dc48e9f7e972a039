"""BM25: word matching with one analyser and one set of parameters for three engines. See README.md."""
