"""A command of one's own, run without a shell: its standard output is the answer, and it must end with 0."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from expandcontract.colours.source import Answer, Scene, Unanswered
from expandcontract.colours.words import weights_in


@dataclass(frozen=True)
class Command:
    """An empty answer is none, whatever the status."""

    argv: tuple[str, ...]  # the program and its arguments

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        program = self.argv[0]
        try:
            done = subprocess.run(  # noqa: S603  # what the configuration names, and no shell
                list(self.argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=scene.seconds,
                text=True,
                errors="replace",
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unanswered(f"nothing: {program} didn't end within {scene.seconds:g} s") from None
        except OSError as error:
            raise Unanswered(f"nothing: {program} can't be run: {error.strerror}") from None
        if done.returncode != 0:
            words = " ".join(done.stderr.split())[:200]
            raise Unanswered(f"nothing: {program} ended with status {done.returncode}{words and f': {words}'}")
        return Answer(weights_in(done.stdout), f"{' '.join(done.stdout.split())!r} by {program}")
