"""A laboratory of DICOM servers: `python -m tests.lab --help`. It needs root and the package registries, so CI leaves it out."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from pipeline.errors import CensusError
from tests.lab import install
from tests.lab.conversations import CASES
from tests.lab.products import Product, load

CAPTURES = Path(__file__).parents[1] / "data" / "fixtures-lab.jsonl"
#: No network but loopback, and no process that outlives the visit.
CLOSED = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
#: Seconds for all conversations with one server.
LIMIT = 900
Row = dict[str, Any]


def main() -> int:
    """Run the command line."""
    arguments = _parser().parse_args()
    products = {name: item for name, item in load().items() if _wanted(item, arguments.only)}
    if not products:
        print(f"no product's id contains {', '.join(arguments.only)}; --list shows the ids", file=sys.stderr)
        return 2
    if arguments.list:
        for product in products.values():
            print(f"{product.id:44} {product.name}: {product.configuration}")
        return 0
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        rows, failures = _run(products, arguments.installed or Path(folder), arguments.jobs)
    _write(rows, arguments.output)
    for name, error in failures.items():
        print(f"{name}: {error}", file=sys.stderr)
    print(f"{len(products) - len(failures)} of {len(products)} servers captured in {arguments.output}")
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab",
        description="Install DICOM servers by name from PyPI, npm and Debian, run each as products.toml says in a network "
        f"that has only loopback, hold {len(CASES)} fixed conversations with it, and write what it answered.",
        epilog="It runs servers of strangers as root, in namespaces of their own, and installs nothing outside its folder.",
    )
    parser.add_argument("--list", action="store_true", help="list the servers and do nothing")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only ids that contain NAME; repeatable"
    )
    parser.add_argument("--jobs", type=int, default=3, help="servers at the same time, each in its own network [3]")
    parser.add_argument("--installed", type=Path, metavar="FOLDER", help="keep installations here, for the next run")
    parser.add_argument("--output", type=Path, default=CAPTURES, help="captures; those of other servers stay in it")
    return parser


def _wanted(product: Product, only: list[str]) -> bool:
    return not only or any(part in product.id for part in only)


def _run(products: dict[str, Product], store: Path, jobs: int) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """Capture each product; return the rows and the failures by id."""
    rows: dict[str, list[Row]] = {}
    failures: dict[str, str] = {}
    folders = dict(_install(list(products.values()), store, failures))
    with ThreadPoolExecutor(jobs) as pool:
        started = {pool.submit(_capture, products[name], folder): name for name, folder in folders.items()}
        for done, future in enumerate(as_completed(started), 1):
            name = started[future]
            try:
                rows[name] = future.result()
            except (CensusError, subprocess.TimeoutExpired) as error:
                failures[name] = str(error)
            print(
                f"[{done}/{len(started)}] {name}: {failures.get(name) or f'{len(rows[name])} conversations'}",
                flush=True,
            )
    return rows, failures


def _install(products: list[Product], store: Path, failures: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """Install one product after another; yield the folder of each that could be installed."""
    for number, product in enumerate(products, 1):
        print(f"installing {number}/{len(products)}: {product.installation.folder}", flush=True)
        try:
            yield product.id, install.install(product.installation, store.absolute())
        except (CensusError, subprocess.TimeoutExpired) as error:
            failures[product.id] = str(error)


def _capture(product: Product, folder: Path) -> list[Row]:
    """The rows of one product, in the form of the other captures. Raises CensusError with the end of its server's log."""
    exact = install.version(product.installation, folder, product.package)
    origin = {"pip": "PyPI", "npm": "npm", "debian": f"Debian {product.installation.release}"}
    title = (
        f"{product.name} ({origin[product.installation.registry]}, {product.package} {exact}), {product.configuration}"
    )
    log = folder / f"{product.id}.log"
    log.unlink(missing_ok=True)
    command = [*CLOSED, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-m", "tests.lab.visit"]
    done = subprocess.run(
        [*command, product.id, str(folder), str(log)], check=False, capture_output=True, text=True, timeout=LIMIT
    )
    if done.returncode != 0:
        end = log.read_text("utf-8", "replace")[-400:] if log.exists() else ""
        raise CensusError(f"{done.stderr.strip()[-400:]} {end}".strip())
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [{"file": f"{product.id}.hex.txt", "product": title} | line for line in lines]


def _write(rows: dict[str, list[Row]], path: Path) -> None:
    """Replace the rows of these products; the file is in the order of ids and cases."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    kept = [line for line in lines if line["file"].removesuffix(".hex.txt") not in rows]
    every = kept + [line for name in rows for line in rows[name]]
    order = [str(case) for case in CASES]
    every.sort(key=lambda line: (line["file"], order.index(line["case"])))
    path.write_text("".join(json.dumps(line) + "\n" for line in every), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
