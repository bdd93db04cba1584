"""Label quality: the product and its peers on the same votes and the same embeddings."""
