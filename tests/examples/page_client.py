"""Ask a running page from a program: pip install gradio_client, and `rag serve` in another window."""

import os
from pathlib import Path

from gradio_client import Client, handle_file

token = os.environ.get("RAG_TOKEN") or Path("index", "token").read_text("utf-8").strip()
address = os.environ.get("RAG_URL", "http://127.0.0.1:7860")
page = Client(address, verbose=False, headers={"Authorization": f"Bearer {token}"})

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
