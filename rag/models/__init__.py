"""The networks: encoder, reader, reranker, with their weights."""
