"""Tables on disk: vectors and their graph in LanceDB, all that people query in DuckDB."""
