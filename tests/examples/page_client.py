"""Ask a running page from a program: pip install gradio_client, and `rag serve` in another window."""

import os

from gradio_client import Client, handle_file

page = Client(os.environ.get("RAG_URL", "http://127.0.0.1:7860"), verbose=False)

answer = page.predict("How many civilians live in Idlib?", api_name="/ask")
for sentence in answer["sentences"]:
    print(sentence["text"], sentence["citations"])
for citation in answer["citations"]:
    print(citation["number"], citation["title"], citation["start"], citation["end"], citation["quote"])

found = page.predict("ceasefire talks", 5, api_name="/search")
for hit in found["hits"]:
    print(hit["rank"], hit["title"], hit["date"])

report = page.predict([handle_file("notes.txt")], api_name="/index")
print(report["added"], "added;", report["failed"], "failed")
page.close()
