"""Hugging Face config.json → Model, for architectures that are understood; the others are refused by name."""
