"""The two kinds of collections, and how they are searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import StoreError

if TYPE_CHECKING:
    from rag.store.milvus.server import MilvusServer

UNUSED = [0.0, 0.0]
"""The vector of a record: every collection must have one."""

_TEXT = 65_535  # bytes of a field at most
_HNSW = {"M": 16, "efConstruction": 200}
INDEX = f"HNSW on the server (M {_HNSW['M']}, efConstruction {_HNSW['efConstruction']}, ef 4 k)"


def create_records(server: MilvusServer) -> None:
    """Make the collection of records."""
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("key", DataType.VARCHAR, max_length=256, is_primary=True)
    schema.add_field("kind", DataType.VARCHAR, max_length=16)
    schema.add_field("epoch", DataType.INT64)
    schema.add_field("generation", DataType.INT64)
    schema.add_field("value", DataType.VARCHAR, max_length=_TEXT)
    schema.add_field("unused", DataType.FLOAT_VECTOR, dim=len(UNUSED))
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("unused", index_type="FLAT", metric_type="L2")
    server.create(server.address.collection, schema, indexes)


def create_passages(server: MilvusServer, name: str, dimension: int) -> None:
    """Make an empty collection of passages in the place of what a killed rebuild left."""
    if server.has(name):
        server.drop(name)
    try:
        _create_passages(server, name, dimension, "whitespace")
    except StoreError as error:
        if "tokenizer" not in str(error):
            raise
        _create_passages(server, name, dimension, "standard")  # Milvus Lite has no other


def _create_passages(server: MilvusServer, name: str, dimension: int, tokenizer: str) -> None:
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("key", DataType.VARCHAR, max_length=256, is_primary=True)
    schema.add_field("waiting", DataType.BOOL)
    schema.add_field("generation", DataType.INT64)
    for field, length in {"id": 64, "text_key": 64, "date": 64, "kind": 256, "uri": 16_384}.items():
        schema.add_field(field, DataType.VARCHAR, max_length=length)
    for field in ("section", "speaker", "value", "words"):
        schema.add_field(field, DataType.VARCHAR, max_length=_TEXT)
    analyzer = {"enable_analyzer": True, "enable_match": True, "analyzer_params": {"tokenizer": tokenizer}}
    schema.add_field("terms", DataType.VARCHAR, max_length=_TEXT, **analyzer)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_function(Function("bm25", FunctionType.BM25, input_field_names=["terms"], output_field_names=["sparse"]))
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("vector", index_type="HNSW", metric_type="IP", params=_HNSW)  # of unit vectors: the cosine
    parameters = {"bm25_k1": 1.2, "bm25_b": 0.75}
    indexes.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=parameters)
    for field in ("id", "text_key", "date"):
        indexes.add_index(field, index_type="INVERTED")
    server.create(name, schema, indexes)
