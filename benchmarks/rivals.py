"""Builds an index and asks it, our way and as five others document it; `speed.py` runs it in their environments.

Run: python benchmarks/rivals.py NAME build|first|warm FOLDER STORE MODEL QUESTIONS. FOLDER holds a text file for each
document, MODEL is the folder of all-MiniLM-L6-v2, QUESTIONS a file with one on each line. `warm` prints JSON: the
processor milliseconds of each question. Each program encodes 16 texts at once, which is faster than its own choice on a
processor, and finds ten passages.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH, FOUND = 16, 10


def named(path: str) -> Any:  # noqa: ANN401 - whatever these programs have
    """Return a module's attribute by its dotted name."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class Place:
    """Where a program finds its documents, keeps its index and has its encoder from."""

    folder: Path
    store: Path
    model: str

    def texts(self) -> list[tuple[str, str]]:
        """Return the name and text of each document."""
        return [(path.name, path.read_text("utf-8")) for path in sorted(self.folder.iterdir())]


def rag_build(place: Place) -> None:
    """Build with this project."""
    with named("rag.Library").open(place.store) as library:
        library.index(place.folder)


def rag_ask(place: Place) -> Callable[[str], object]:
    """Ask this project."""
    retriever = named("rag.Retriever").open(place.store)
    return lambda question: retriever.retrieve(question, FOUND)


def fused_ask(place: Place) -> Callable[[str], object]:
    """Ask this project without its second look at the best passages."""
    retriever = named("rag.Retriever").open(place.store)
    return lambda question: retriever.fused(question, FOUND)


def _langchain_model(place: Place) -> Any:  # noqa: ANN401
    make = named("langchain_huggingface.HuggingFaceEmbeddings")
    return make(model_name=place.model, model_kwargs={"device": "cpu"}, encode_kwargs={"batch_size": BATCH})


def langchain_build(place: Place) -> None:
    """LangChain: texts split, embedded and kept in FAISS."""
    document, split = (
        named("langchain_core.documents.Document"),
        named("langchain_text_splitters.RecursiveCharacterTextSplitter"),
    )
    documents = [document(page_content=text, metadata={"source": name}) for name, text in place.texts()]
    parts = split(chunk_size=1000, chunk_overlap=200).split_documents(documents)
    named("langchain_community.vectorstores.FAISS").from_documents(parts, _langchain_model(place)).save_local(
        str(place.store)
    )


def langchain_ask(place: Place) -> Callable[[str], object]:
    """LangChain: similarity search."""
    load = named("langchain_community.vectorstores.FAISS").load_local
    store = load(str(place.store), _langchain_model(place), allow_dangerous_deserialization=True)
    return lambda question: store.similarity_search(question, k=FOUND)


def _llamaindex_model(place: Place) -> Any:  # noqa: ANN401
    make = named("llama_index.embeddings.huggingface.HuggingFaceEmbedding")
    model = make(model_name=place.model, embed_batch_size=BATCH, device="cpu")
    named("llama_index.core.Settings").embed_model = model
    return model


def llamaindex_build(place: Place) -> None:
    """LlamaIndex: its reader of folders, its vector store."""
    model = _llamaindex_model(place)
    documents = named("llama_index.core.SimpleDirectoryReader")(str(place.folder)).load_data()
    index = named("llama_index.core.VectorStoreIndex").from_documents(documents, embed_model=model)
    index.storage_context.persist(str(place.store))


def llamaindex_ask(place: Place) -> Callable[[str], object]:
    """LlamaIndex: its retriever."""
    model = _llamaindex_model(place)
    context = named("llama_index.core.StorageContext").from_defaults(persist_dir=str(place.store))
    index = named("llama_index.core.load_index_from_storage")(context, embed_model=model)
    return index.as_retriever(similarity_top_k=FOUND).retrieve  # type: ignore[no-any-return]


_HAYSTACK = "haystack_integrations.components.embedders.sentence_transformers.SentenceTransformers"


def haystack_build(place: Place) -> None:
    """Haystack: documents split, embedded, written to its store in memory, and that to a file."""
    document, split = (
        named("haystack.Document"),
        named("haystack.components.preprocessors.DocumentSplitter")(split_by="word", split_length=200),
    )
    documents = split.run([document(content=text, meta={"name": name}) for name, text in place.texts()])["documents"]
    embedder = named(f"{_HAYSTACK}DocumentEmbedder")(model=place.model, batch_size=BATCH, progress_bar=False)
    embedder.warm_up()
    store = named("haystack.document_stores.in_memory.InMemoryDocumentStore")(embedding_similarity_function="cosine")
    store.write_documents(embedder.run(documents)["documents"])
    store.save_to_disk(str(place.store))


def haystack_ask(place: Place) -> Callable[[str], object]:
    """Haystack: its retriever over the store in memory."""
    store = named("haystack.document_stores.in_memory.InMemoryDocumentStore").load_from_disk(str(place.store))
    embedder = named(f"{_HAYSTACK}TextEmbedder")(model=place.model, progress_bar=False)
    embedder.warm_up()
    find = named("haystack.components.retrievers.in_memory.InMemoryEmbeddingRetriever")(store, top_k=FOUND)
    return lambda question: find.run(query_embedding=embedder.run(question)["embedding"])


def txtai_build(place: Place) -> None:
    """Txtai: its embeddings database, with content."""
    index = named("txtai.Embeddings")(path=place.model, content=True, encodebatch=BATCH, gpu=False)
    index.index((name, text, None) for name, text in place.texts())
    index.save(str(place.store))


def txtai_ask(place: Place) -> Callable[[str], object]:
    """Txtai: search in it."""
    index = named("txtai.Embeddings")(path=place.model, content=True, gpu=False)
    index.load(str(place.store))
    return lambda question: index.search(question, FOUND)


def _chroma(place: Place) -> Any:  # noqa: ANN401
    make = named("chromadb.utils.embedding_functions.SentenceTransformerEmbeddingFunction")
    client = named("chromadb.PersistentClient")(str(place.store))
    return client.get_or_create_collection("texts", embedding_function=make(model_name=place.model, device="cpu"))


def chroma_build(place: Place) -> None:
    """Chroma: a collection on disk, with ids that stay the same."""
    collection, texts = _chroma(place), place.texts()
    for start in range(0, len(texts), BATCH):
        names, contents = zip(*texts[start : start + BATCH], strict=True)
        collection.upsert(ids=list(names), documents=list(contents))


def chroma_ask(place: Place) -> Callable[[str], object]:
    """Chroma: a query of the collection."""
    collection = _chroma(place)
    return lambda question: collection.query(query_texts=[question], n_results=FOUND)


def main() -> None:
    """Do one thing with one program."""
    name, what = sys.argv[1:3]
    place = Place(Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5])
    questions = Path(sys.argv[6]).read_text("utf-8").splitlines()
    if what == "build":
        globals()[f"{name}_build"](place)
        return
    ask = globals()[f"{name}_ask"](place)
    ask(questions[0])
    times = []
    for question in questions if what == "warm" else ():
        began = time.process_time()
        ask(question)
        times.append(1000 * (time.process_time() - began))
    print(json.dumps(times))


if __name__ == "__main__":
    main()
