"""Breakeven: vLLM inference clusters as code, with the bill beside what the API would have cost."""

__version__ = "0.1.0"
