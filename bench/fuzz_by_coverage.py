"""The readers of `bench.fuzz` again, with inputs that grow towards code not reached yet: atheris, which is libFuzzer.

Begins with the profiles, catalogues and models of the repository. `make fuzz` runs it where atheris has a wheel.
"""

from __future__ import annotations

import atexit
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import atheris

with atheris.instrument_imports(include=["breakeven", "yaml"]):
    from bench import fuzz

    from breakeven import resources

_SECONDS: Final = 60
_LONGEST: Final = 8_192
_NAMES: Final = tuple(fuzz.READERS)
_CHECKOUT: Final = Path(__file__).parents[1]
_EXAMPLES: Final = {
    "profile": (_CHECKOUT / "profiles").glob("*.yaml"),
    "config.json": (_CHECKOUT / "tests/data/model_configs").glob("*.json"),
    "accelerators": [resources.catalog() / "accelerators.yaml"],
    "comparators": [resources.catalog() / "comparators.yaml"],
    "packaged API prices": [resources.catalog() / "api_prices.yaml"],
}


def _corpus() -> Iterator[bytes]:
    """The first byte says which reader it is for."""
    for number, name in enumerate(_NAMES):
        yield bytes([number]) + fuzz.READERS[name].seed().encode()
        yield from (bytes([number]) + path.read_bytes()[:_LONGEST] for path in _EXAMPLES.get(name, ()))


def main() -> None:
    """Ends with the process. What makes a reader fail is printed with its traceback."""
    directory = TemporaryDirectory()
    runs: Counter[str] = Counter()
    atexit.register(directory.cleanup)
    atexit.register(lambda: print(f"by coverage: {runs.total():,} inputs in {_SECONDS} s", flush=True))
    corpus = Path(directory.name) / "corpus"
    corpus.mkdir()
    for number, content in enumerate(_corpus()):
        (corpus / str(number)).write_bytes(content)

    def run(data: bytes) -> None:
        name = _NAMES[(data[0] if data else 0) % len(_NAMES)]
        path = Path(directory.name) / ("config.json" if name == "config.json" else "input")
        fuzz.try_one(name, path, data[1:])
        runs[name] += 1

    options = [f"-max_total_time={_SECONDS}", f"-max_len={_LONGEST}", "-timeout=0", "-verbosity=0"]
    # Our own alarm ends what hangs; libFuzzer would take it for its own.
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={directory.name}/", str(corpus)], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
