"""How long `deploy render clusters/ --out rendered/` takes, and how much memory: `python -m bench.fleet`.

The claim is less than 60 s for 1,000 deployments on two cores, linear in their number, in flat memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.harness import machine, timed

_SIZES: Final = (1, 125, 250, 500, 1000)
_PER_NAMESPACE: Final = 10

# In a process of its own: the peak of its memory is read at its end.
_RENDER: Final = """
import resource, sys
from breakeven.main import cli
cli(sys.argv[1:], prog_name="deploy", standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def main() -> None:
    """Print a row for each size."""
    print(machine())
    print("Deployments  first render  again  --check  s per deployment  CPU s per deployment  peak MiB")
    for size in _SIZES:
        print(row(size), flush=True)


def row(size: int) -> str:
    with TemporaryDirectory(prefix="fleet-") as folder:
        root = Path(folder)
        write_fleet(root / "clusters", size)
        command = ("render", str(root / "clusters"), "--out", str(root / "rendered"))
        used = _cpu_s()
        peak: list[int] = []
        first = timed(lambda: peak.append(deploy(*command)))
        used = _cpu_s() - used
        again = timed(lambda: deploy(*command))
        check = timed(lambda: deploy(*command, "--check"))
    seconds = f"{first:12.1f}  {again:5.1f}  {check:7.1f}"
    return f"{size:11,}  {seconds}  {first / size:16.3f}  {used / size:20.3f}  {peak[0]:8,}"


def write_fleet(root: Path, size: int) -> None:
    """Deployments of all profiles over one base, ten to a namespace."""
    root.mkdir(parents=True)
    (root / "base.yaml").write_text("profile: 4xa100\nteam: search\n", encoding="utf-8")
    profiles = ("4xa100", "8xh100", "1xa100")
    for number in range(size):
        folder = root / f"n{number // _PER_NAMESPACE}" / f"d{number}"
        folder.mkdir(parents=True)
        text = f"base: ../../base.yaml\nprofile: {profiles[number % len(profiles)]}\nname: d{number}\n"
        (folder / "deploy.yaml").write_text(
            f"{text}namespace: n{number // _PER_NAMESPACE}\nworkload:\n  requests_per_month: {1_000_000 + number}\n",
            encoding="utf-8",
        )


def deploy(*arguments: str) -> int:
    """Peak of its memory in MiB."""
    command = [sys.executable, "-c", _RENDER, *arguments]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stderr.split()[-1])


def _cpu_s() -> float:
    """Of all that ran below this process, Helm included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
