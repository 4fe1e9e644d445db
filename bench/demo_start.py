"""How long ``make demo`` takes once installed: from the start of the command to the printed address of the page.

python -m bench.demo_start [--runs 5]
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import sys
import time

from bench.machine import conditions

LONGEST = 60.0


async def start() -> float:
    """Seconds until the demo's page has an address; the demo is ended afterwards. Raises RuntimeError, TimeoutError."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "demo", stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LONGEST):
            async for line in process.stdout:
                if b"http://" in line:
                    return time.perf_counter() - began
        raise RuntimeError(f"the demo ended with exit status {await process.wait()} before it printed its address")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


async def measure(runs: int) -> list[float]:
    return [await start() for _ in range(runs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    taken = asyncio.run(measure(parser.parse_args().runs))
    print(f"demo ready, {len(taken)} runs ({conditions()})")
    print(f"median {statistics.median(taken):.1f} s, most {max(taken):.1f} s")


if __name__ == "__main__":
    main()
