"""SEAL: documents found by n-grams that a language model generates (Bevilacqua et al., NeurIPS 2022). See README.md."""
