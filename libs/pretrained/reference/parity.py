"""Writes smollm2.json and minilm.json: what transformers computes with the weights of `asset:smollm2` and `asset:minilm`, in float32.

How it was made: python -m venv venv && venv/bin/pip install torch transformers gguf
and venv/bin/python parity.py SMOLLM2 MINILM, the paths that `lockstep fetch` says the two lie at.
"""
import json
import pathlib
import sys

import torch
import transformers
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

HERE = pathlib.Path(__file__).parent
MADE_BY = f"torch {torch.__version__}, transformers {transformers.__version__}"
TEXT = ("The whale surfaced at dawn, and for a moment nobody on the deck spoke. Then the captain, who had waited "
        "3 years for this, closed his book and said: \"Lower the boats.\"")
SENTENCES = ["A whale is a mammal that lives in the sea.", "Whales breathe air.", "The stock market fell by two percent on Tuesday.",
             "How do I undo the last commit in Git?"]
POSITIONS = (0, 17, 35)
VOCABULARY_ENTRIES = 64


def rounded(values):
    return [float(f"{value:.6g}") for value in values]


@torch.inference_mode()
def smollm2(path):
    folder, name = str(path.parent), path.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32, attn_implementation="eager").eval()
    ids = tokenizer(TEXT)["input_ids"]
    logits = model(torch.tensor([ids])).logits[0]
    entries = list(range(0, logits.shape[1], logits.shape[1] // VOCABULARY_ENTRIES))[:VOCABULARY_ENTRIES]
    loss = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]))
    return {
        "madeBy": MADE_BY, "text": TEXT, "ids": ids, "top": logits.argmax(-1).tolist(), "meanLoss": float(loss), "largestLogit": float(logits.abs().max()),
        "positions": POSITIONS, "entries": entries, "logits": [rounded(logits[position, entries].tolist()) for position in POSITIONS],
    }


@torch.inference_mode()
def minilm(path):
    """Mean over the tokens, then unit length, as the model's modules.json has it."""
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
    sentences = []
    for text in SENTENCES:
        encoded = tokenizer(text, return_tensors="pt")
        mean = model(**encoded).last_hidden_state[0].mean(0)
        sentences.append({"text": text, "ids": encoded["input_ids"][0].tolist(), "embedding": rounded((mean / mean.norm()).tolist())})
    return {"madeBy": MADE_BY, "sentences": sentences}


(HERE / "smollm2.json").write_text(json.dumps(smollm2(pathlib.Path(sys.argv[1]))) + "\n")
(HERE / "minilm.json").write_text(json.dumps(minilm(pathlib.Path(sys.argv[2]))) + "\n")
