"""One run of `deploy` on a stack at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from breakeven.engine.backend import Backend
from breakeven.engine.lock import held, holder
from breakeven.engine.progress import OnProgress, Progress
from breakeven.errors import DeployError

# For another run's preview to end. An apply takes minutes, and a question on somebody's screen may never be answered.
_PATIENCE_S: Final = 10.0


@contextmanager
def alone(name: str, backend: Backend, on_progress: OnProgress) -> Iterator[None]:
    """Runs of `deploy` share the settings of a stack: one would apply what another previews."""
    path = backend.stack_directory(name).with_suffix(".lock")

    def say(elapsed_s: float) -> None:
        if elapsed_s > _PATIENCE_S:
            raise DeployError(
                f"another `deploy` works on stack {name}: {holder(path)}",
                hint="wait until it has ended, and run it again; `deploy status` may be asked meanwhile",
            )
        what = f"waiting for another `deploy` on stack {name} ({holder(path)})"
        on_progress(Progress(what=what, state="waiting", elapsed_s=elapsed_s))

    with held(path, say):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
