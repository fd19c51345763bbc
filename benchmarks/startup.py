"""From the start of `susracker serve` until it is ready, and the memory it holds then.

Long watch-lists are started twice: from the rows of the database, and from the copy of the
templates that a server writes beside it a minute after its first start.

python benchmarks/startup.py
python benchmarks/startup.py --enrolled 10000 --json startup.json
python benchmarks/startup.py --enrolled 100000 --sealed        an encrypted store beside a plain one
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from galleries import FACES, real_faces, sqlite_gallery
from platformdirs import user_cache_path
from processes import susracker
from rich.console import Console
from rich.table import Table

from susracker.faces.encoder import DlibEncoder
from susracker.stores.base import Store
from susracker.stores.data_key import create_data_key
from susracker.stores.sqlite.store import SqliteStore
from susracker.stores.sqlite.templates import COPIED_FROM, TemplateCopy

READS = 5
"""The best of so many counts."""

SETTLED_SECONDS = 3
"""After the start, until the memory is measured: processes that find faces start when all else is
ready."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--enrolled", type=int, action="append", help="may be given again")
    parser.add_argument("--faces", type=Path, default=FACES, help="a folder a person")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    parser.add_argument("--sealed", action="store_true", help="measure encrypted stores, too")
    parser.add_argument("--runs", type=int, default=1, help="the median of so many starts")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    enrolled, _ = real_faces(options.faces)
    rows = []
    table = Table(
        "enrolled",
        "store",
        "read from",
        "CPU ms to read templates",
        "seconds to ready",
        "CPU seconds to ready",
        "resident MB",
        "peak MB",
    )
    for count in options.enrolled or [10_000, 100_000, 1_000_000]:
        for data_key in ["", data_key_of(options.work)] if options.sealed else [""]:
            store = sqlite_gallery(options.work, count, enrolled, data_key)
            sources = ("rows", "copy") if count >= COPIED_FROM else ("rows",)
            runs = [
                {one: measured(store, data_key, options.work, one) for one in sources}
                for _ in range(options.runs)
            ]
            for one in sources:
                found = [run[one] for run in runs]
                medians = {
                    name: float(np.median([run[name] for run in found])) for name in found[0]
                }
                kind = "sealed" if data_key else "plain"
                rows.append({"enrolled": count, "store": kind, "read from": one} | medians)
                table.add_row(f"{count:,}", kind, one, *(f"{v:,.1f}" for v in medians.values()))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


def data_key_of(work: Path) -> str:
    """File of the data key of all sealed galleries in `work`."""
    file = work / "data.key"
    if not file.exists():
        create_data_key(file)
    return str(file)


def cpu_to_read(store: Store) -> float:
    """Seconds of CPU for reading all templates."""
    began = time.process_time()
    store.template_rows(DlibEncoder.id)
    return time.process_time() - began


def measured(url: str, data_key: str, work: Path, source: str) -> dict[str, float]:
    """How long a start takes, what of it is reading the templates, and the memory."""
    with SqliteStore.from_url(url, data_key) as store:
        TemplateCopy(store._db).delete()
        if source == "copy":
            store.keep_template_copy(DlibEncoder.id)
        read = min(cpu_to_read(store) for _ in range(READS))
    with susracker(url, work / "susracker.log", "--data-key", data_key) as server:
        cpu = server.cpu_seconds()
        time.sleep(SETTLED_SECONDS)
        return {
            "cpu_ms_to_read": 1000 * read,
            "seconds_to_ready": server.seconds_to_ready,
            "cpu_seconds_to_ready": cpu,
            "resident_mb": server.resident_bytes() / 1e6,
            "peak_mb": server.peak_bytes() / 1e6,
        }


if __name__ == "__main__":
    main()
