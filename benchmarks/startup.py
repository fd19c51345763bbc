"""From the start of `susracker serve` until it is ready, and the memory it holds then.

python benchmarks/startup.py
python benchmarks/startup.py --enrolled 10000 --json startup.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from galleries import FACES, real_faces, sqlite_gallery
from platformdirs import user_cache_path
from processes import susracker
from rich.console import Console
from rich.table import Table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--enrolled", type=int, action="append", help="may be given again")
    parser.add_argument("--faces", type=Path, default=FACES, help="a folder a person")
    parser.add_argument("--work", type=Path, default=user_cache_path("susracker-bench"))
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    enrolled, _ = real_faces(options.faces)
    rows = []
    table = Table("enrolled", "seconds to ready", "resident MB", "peak MB")
    for count in options.enrolled or [10_000, 100_000, 1_000_000]:
        store = sqlite_gallery(options.work, count, enrolled)
        with susracker(store, options.work / "susracker.log") as server:
            row = {
                "enrolled": count,
                "seconds_to_ready": server.seconds_to_ready,
                "resident_mb": server.resident_bytes() / 1e6,
                "peak_mb": server.peak_bytes() / 1e6,
            }
        rows.append(row)
        table.add_row(f"{count:,}", *(f"{value:.1f}" for value in list(row.values())[1:]))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
