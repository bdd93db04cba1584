"""Tables on disk: LanceDB for embeddings and the neighbour graph, DuckDB for everything people query."""
