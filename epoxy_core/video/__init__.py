"""Raw video: decoded as far as possible, cut into items, measured.

Pure: paths and settings in, Polars frames and arrays out. See ``docs/video.md``.
"""

from epoxy_core.video.captions import caption_files, caption_text, captions_of
from epoxy_core.video.decode import read_frames
from epoxy_core.video.measures import COLORS, MEASURES
from epoxy_core.video.probe import VideoInfo, probe
from epoxy_core.video.scan import Scan, scan_video

__all__ = [
    "COLORS",
    "MEASURES",
    "Scan",
    "VideoInfo",
    "caption_files",
    "caption_text",
    "captions_of",
    "probe",
    "read_frames",
    "scan_video",
]
