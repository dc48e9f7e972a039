"""Data sets from other people's files: what to fetch, from where, how it is verified, and how it becomes a folder."""
