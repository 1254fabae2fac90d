"""Run the targets under atheris, each in its own process for a given time: `python -m fuzz [TARGET …] [--seconds N]`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Folders of inputs: inputs that reach new code, for the next run, and inputs that fail.
CORPUS, FAILURES = HERE / "corpus", HERE / "found"
#: Bytes of an input: more than the 16 KiB that are read of a reply, to check that the rest is not read.
LONGEST = 20_000
#: The longest time for one input, and the most memory for all.
SECONDS_PER_INPUT, MEBIBYTES = 5, 1024


def fuzz_one(name: str, seconds: int) -> None:
    """Fuzz one target; atheris ends the process."""
    import atheris

    # Comparisons of numpy arrays leak under atheris 3.0's tracing, and vectorised code has no branches to find.
    with atheris.instrument_imports(include=["pipeline"], exclude=["pipeline.wire.packet"]):
        from fuzz.targets import TARGETS

    target, corpus = TARGETS[name], CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    FAILURES.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number:03d}").write_bytes(seed)
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": SECONDS_PER_INPUT,
        "rss_limit_mb": MEBIBYTES,
        "print_final_stats": 1,
        "artifact_prefix": f"{FAILURES}/{name}-",
    }
    atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)], target.run)
    atheris.Fuzz()


def fuzz_all(names: list[str], seconds: int) -> int:
    """Fuzz targets one after the other; return the number of failed targets."""
    failed = 0
    for name in names:
        command = [sys.executable, "-m", "fuzz", "--inside", name, "--seconds", str(seconds)]
        result = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, env=os.environ, check=False)
        print(f"{name:18} {'ok' if result.returncode == 0 else 'FAILED'}  {_statistics(result.stderr)}", flush=True)
        if result.returncode != 0:
            failed += 1
            print(result.stdout[-2000:], result.stderr[-4000:], sep="\n")
    return failed


def _statistics(output: str) -> str:
    """libFuzzer's final statistics: executions, executions per second, memory."""
    lines = (line.removeprefix("stat::").split(":") for line in output.splitlines() if line.startswith("stat::"))
    values = {key: value.strip() for key, value in lines}
    keys = ("number_of_executed_units", "average_exec_per_sec", "peak_rss_mb")
    return "  ".join(f"{key} {values.get(key, '?')}" for key in keys)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="names of targets (default: all)")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        fuzz_one(options.inside, options.seconds)
        return 0
    return min(1, fuzz_all(options.targets or _names(), options.seconds))


def _names() -> list[str]:
    """The names of all targets, from another process: a module that is imported here can no longer be instrumented."""
    code = "from fuzz.targets import TARGETS; print(*TARGETS)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


if __name__ == "__main__":
    sys.exit(main())
