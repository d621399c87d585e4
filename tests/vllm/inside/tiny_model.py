"""Makes a random Llama of 1 MB with a tokenizer of its own: `tiny_model.py FOLDER TEXT_FILE CONTEXT_LENGTH`.

The figures are Hugging Face's own names in its config.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CHAT = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"


def tokenizer(text: str) -> PreTrainedTokenizerFast:
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # The parser of what a Qwen3 thinks and calls wants its marks.
    special = ["<s>", "</s>", "<think>", "</think>", "<tool_call>", "</tool_call>"]
    found.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=2000, special_tokens=special, initial_alphabet=alphabet)
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=found, bos_token="<s>", eos_token="</s>")
    fast.chat_template = CHAT
    return fast


def main(folder: Path, text: str, context_length: int) -> None:
    words = tokenizer(text)
    words.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context_length,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        dtype="bfloat16",
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8"), int(sys.argv[3]))
