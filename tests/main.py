# SPDX-License-Identifier: BSD-2-Clause
"""Provision for the selected tests, run them, and say how many passed: what ./test does once pytest is installed."""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from support.rust import newest_with_all_targets

KIT = Path(__file__).resolve().parent.parent
BUILD_TEST = KIT / "build-test"
RESULTS = BUILD_TEST / "results.json"


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-B", "-m", "pytest", "-c", str(KIT / "pyproject.toml"), *arguments]


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends pytest and what the tests started. Asks first, so that a test can end its QEMU."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, sign)
            process.wait(timeout=30)


def main() -> int:
    # Two more than cores: a test that waits for a console, or for another's cargo, leaves its core to another.
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(
        prog="test",
        description="Run the tests; exit status 0 only if none failed.",
        epilog="Everything else goes to pytest: folders and files, -k TEXT, --lf, -x, --durations=N …",
    )
    parser.add_argument("--quick", action="store_true", help="only the tests that boot nothing")
    parser.add_argument(
        "--all", action="store_true", help="the tests marked `long`, too, with rustup's newest Rust toolchain"
    )
    parser.add_argument("--toolchain", metavar="NAME", help="run all with this Rust toolchain of rustup's")
    parser.add_argument(
        "--jobs", type=int, metavar="N", default=min(4, cores) + 2, help="tests side by side (default: %(default)s)"
    )
    arguments, rest = parser.parse_known_args()
    tier = [*(["--quick"] if arguments.quick else []), *(["--all"] if arguments.all else [])]
    chosen = arguments.toolchain or os.environ.get("RUSTUP_TOOLCHAIN")
    if toolchain := chosen or (newest_with_all_targets() if arguments.all else None):
        os.environ["RUSTUP_TOOLCHAIN"] = toolchain
        print(f"tests run with the Rust toolchain {toolchain}", flush=True)
    if "--collect-only" in rest or "--co" in rest:
        return subprocess.call(pytest(*tier, *rest), cwd=KIT)
    RESULTS.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    prepared = subprocess.run(pytest(*tier, *rest, "--collect-only", "--quiet", "--provision"),
                              cwd=KIT, stdout=subprocess.PIPE, text=True)  # fmt: skip
    if prepared.returncode != 0:
        print(prepared.stdout, end="")
        print("error: the tests could not be collected, or this machine could not be set up for them", file=sys.stderr)
        print("0 passed, 1 failed, 0 skipped")
        return 1
    groups = json.loads((BUILD_TEST / "provisioned.json").read_text())["groups"]
    jobs = min(arguments.jobs, groups)
    # A worker that crashed is not replaced: xdist would wait for ever for one that replaces it.
    options = ["--dist", "loadgroup", "--no-loadscope-reorder", "--max-worker-restart=0"]
    command = pytest(*tier, "-n", str(jobs), *options, f"--junitxml={BUILD_TEST / 'results.xml'}", *rest)
    # In a session of its own, so that all that a test started can be ended with it.
    process = subprocess.Popen(command, cwd=KIT, start_new_session=True)
    try:
        status = process.wait()
    except BaseException:
        stop(process)
        raise
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if RESULTS.exists():
        counts.update(json.loads(RESULTS.read_text()))
    # pytest also fails when no test was selected, and where it could not go on.
    if status != 0 and not counts["failed"]:
        counts["failed"] = 1
    print(", ".join(f"{count} {what}" for what, count in counts.items()), flush=True)
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
