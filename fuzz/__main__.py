"""Run the targets under atheris, each in a process of its own for a stated time: `python -m fuzz [TARGET …] [--seconds N]`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: What a run finds: inputs that reach something new, kept for the next run, and inputs that break a promise.
CORPUS, FOUND = HERE / "corpus", HERE / "found"
#: A reply is 16 KiB at most; more is offered, to see that it is not looked at.
LONGEST = 20_000
#: One input may take this long and all of them together this much memory.
SECONDS_AN_INPUT, MEBIBYTES = 5, 1024


def one(name: str, seconds: int) -> None:
    """Fuzz one target; atheris ends the process."""
    import atheris

    # Comparisons of numpy arrays leak under atheris 3.0's tracing, and vectorised code has no branches to find.
    with atheris.instrument_imports(include=["pipeline"], exclude=["pipeline.wire.packet"]):
        from fuzz.targets import TARGETS

    target, corpus = TARGETS[name], CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    FOUND.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number:03d}").write_bytes(seed)
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": SECONDS_AN_INPUT,
        "rss_limit_mb": MEBIBYTES,
        "print_final_stats": 1,
        "artifact_prefix": f"{FOUND}/{name}-",
    }
    atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)], target.run)
    atheris.Fuzz()


def every(names: list[str], seconds: int) -> int:
    """Fuzz targets one after the other; give how many broke a promise."""
    failed = 0
    for name in names:
        command = [sys.executable, "-m", "fuzz", "--inside", name, "--seconds", str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, env=os.environ, check=False)
        print(f"{name:18} {'ok' if done.returncode == 0 else 'FAILED'}  {_statistics(done.stderr)}", flush=True)
        if done.returncode != 0:
            failed += 1
            print(done.stdout[-2000:], done.stderr[-4000:], sep="\n")
    return failed


def _statistics(output: str) -> str:
    """What libFuzzer says at its end: executions, executions a second, memory."""
    lines = (line.removeprefix("stat::").split(":") for line in output.splitlines() if line.startswith("stat::"))
    found = {key: value.strip() for key, value in lines}
    wanted = ("number_of_executed_units", "average_exec_per_sec", "peak_rss_mb")
    return "  ".join(f"{key} {found.get(key, '?')}" for key in wanted)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="names of targets; all of them without any")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        one(options.inside, options.seconds)
        return 0
    return min(1, every(options.targets or _names(), options.seconds))


def _names() -> list[str]:
    """All targets, asked of a process of its own: what is imported here could not be instrumented any more."""
    code = "from fuzz.targets import TARGETS; print(*TARGETS)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


if __name__ == "__main__":
    sys.exit(main())
