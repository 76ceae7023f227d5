"""`assay doctor`: what is installed, what would fail, and the fix."""

import argparse

from assay.cli import add_common
from assay.cli.output import emit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "example: assay doctor --json"
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Report; exit code 1 where something needed would fail."""
    from dataclasses import asdict

    from assay.doctor import examine

    checks = examine()
    ok = all(check.ok is not False for check in checks)
    marks = {True: "ok", False: "FAIL", None: "-"}

    def text() -> str:
        lines = [
            f"{marks[c.ok]:<5}{c.name:<17}{c.detail}" + (f"   fix: {c.fix}" if c.fix else "")
            for c in checks
        ]
        return "\n".join(lines)

    emit(args, {"ok": ok, "checks": [asdict(check) for check in checks]}, text)
    return 0 if ok else 1
