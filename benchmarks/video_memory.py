"""Memory and time of one pass over a long video, measures, shots and thumbnails included.

A clip is repeated, its packets copied, and scanned in a process of its own.

    python -m benchmarks.video_memory [--minutes M ...] VIDEO
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from epoxy_core.source_settings import VideoSource
from epoxy_core.video import scan_video


def repeat(clip: Path, minutes: float, target: Path) -> None:
    """Write the clip's video stream over and over, without decoding it."""
    import av

    with av.open(str(clip)) as source, av.open(str(target), "w") as made:
        stream = source.streams.video[0]
        copy = made.add_stream_from_template(stream)
        packets = [
            (bytes(packet), packet.pts, packet.dts, packet.duration, packet.is_keyframe)
            for packet in source.demux(stream)
            if packet.size and packet.pts is not None and packet.dts is not None
        ]
        ends = [pts + (duration or 0) for _, pts, _, duration, _ in packets]
        length = max(ends) - min(pts for _, pts, *_ in packets)
        assert stream.time_base is not None
        times = int(-(-minutes * 60 // float(length * stream.time_base)))
        for offset in range(0, times * length, length):
            for content, pts, dts, duration, key in packets:
                packet = av.Packet(content)
                packet.pts, packet.dts, packet.duration = pts + offset, dts + offset, duration
                packet.time_base, packet.is_keyframe = stream.time_base, key
                packet.stream = copy
                made.mux(packet)


def scan(video: Path) -> None:
    """Print minutes, items, seconds, and the process's peak of resident MiB."""
    started = time.perf_counter()
    found = scan_video(video, VideoSource(kind="video", paths=["-"], sample=1.0))
    taken = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    thumbnails = found.items["thumbnail"].estimated_size("mb")
    print(
        f"| {found.info.duration / 60:.0f} | {found.items.height:,} | {taken:.0f} "
        f"| {found.info.duration / taken:.0f} | {peak:.0f} | {thumbnails:.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--minutes", type=float, nargs="*", default=[1, 10, 60])
    options = parser.parse_args()
    if not options.minutes:
        scan(options.video)
        return
    print("| minutes | items | s | × real time | peak MiB | of it thumbnails |")
    print("|---|---|---|---|---|---|", flush=True)
    for minutes in options.minutes:
        with tempfile.TemporaryDirectory() as scratch:
            long = Path(scratch) / "long.mkv"
            repeat(options.video, minutes, long)
            command = [sys.executable, "-m", "benchmarks.video_memory", str(long), "--minutes"]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
