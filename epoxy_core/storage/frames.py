"""What scanning videos gave, by video, in LanceDB."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from epoxy_core.corpus.scan import VIDEOS, Scanned
from epoxy_core.storage.lance_tables import compact, connect, open_table, readable
from epoxy_core.video import Scan

_IDENTITY, _THUMBNAIL = "identity", "thumbnail"


class FrameStore:
    """Scans under one kind of sampling, append-only.

    A scan depends only on the video, its captions and the sampling: rows of videos that are gone
    stay, and do no harm. The row of a video is written after those of its items, so that a video
    whose scan was cut short is scanned again.

    Parameters
    ----------
    path
        The LanceDB directory; created with the first scan.
    sampling
        Fingerprint of the settings and code that a scan depends on: each has tables of its own.
    """

    def __init__(self, path: Path, sampling: str) -> None:
        self.path = path
        digest = hashlib.blake2b(sampling.encode(), digest_size=8).hexdigest()
        self._items, self._videos = f"frames_{digest}", f"videos_{digest}"

    def missing(self, identities: Sequence[str]) -> list[str]:
        """List the videos not scanned yet, each once, in the order given.

        Raises
        ------
        EpoxyError
            If the tables cannot be read.
        """
        asked = pl.Series(identities, dtype=pl.String).unique(maintain_order=True)
        with readable(self.path):
            known = self._read(self._videos, [_IDENTITY])
        if known is None:
            return asked.to_list()
        return asked.filter(~asked.is_in(known[_IDENTITY].implode())).to_list()

    def append(self, identity: str, digest: str, scan: Scan) -> None:
        """Store the scan of a video; on return it is on disk.

        Parameters
        ----------
        identity
            Digest of the video and its captions.
        digest
            Digest of the video: what its frames are of.
        scan
            Its scan.

        Raises
        ------
        EpoxyError
            If the tables cannot be written.
        """
        info = scan.info
        hashes = [_content_hash(digest, frames) for frames in scan.items["frames"].to_list()]
        items = scan.items.select(
            pl.lit(identity).alias(_IDENTITY),
            pl.Series("content_hash", hashes, dtype=pl.String),
            pl.all(),
        )
        row = {
            _IDENTITY: identity,
            "duration": info.duration,
            "width": info.width,
            "height": info.height,
            "fps": info.fps,
            "codec": info.codec,
            "rotation": info.rotation,
            "container": info.container,
            "has_audio": info.has_audio,
            "metadata": json.dumps(dict(info.metadata)),
            "problem": scan.problem,
            "n_items": items.height,
        }
        with readable(self.path):
            table = open_table(self.path, self._items)
            cut_short = f"{_IDENTITY} = '{identity}'"
            if table is not None and table.count_rows(cut_short):
                table.delete(cut_short)
            if items.height:
                self._add(self._items, items)
            self._add(self._videos, pl.DataFrame([row], schema=VIDEOS))

    def reject(self, identity: str, problem: str) -> None:
        """Store that nothing of a video can be decoded, and why.

        Raises
        ------
        EpoxyError
            If the table cannot be written.
        """
        row = {_IDENTITY: identity, "problem": problem, "n_items": 0}
        with readable(self.path):
            self._add(self._videos, pl.DataFrame([row], schema=VIDEOS))

    def load(self, identities: Sequence[str]) -> Scanned:
        """The scans of these videos; those without a scan are left out.

        Raises
        ------
        EpoxyError
            If the tables cannot be read.
        """
        asked = pl.DataFrame({_IDENTITY: identities}, schema={_IDENTITY: pl.String}).unique()
        with readable(self.path):
            videos = self._read(self._videos, list(VIDEOS))
            items = self._read(self._items, None)
        if videos is None:
            videos = pl.DataFrame(schema=VIDEOS)
        videos = videos.unique(_IDENTITY, keep="last").join(asked, on=_IDENTITY, how="semi")
        if items is None:
            items = pl.DataFrame(schema={_IDENTITY: pl.String, "content_hash": pl.String})
            return Scanned(videos.sort(_IDENTITY), items)
        # Of a video whose scan was cut short there may be items, which do not count.
        items = items.join(videos.select(_IDENTITY), on=_IDENTITY, how="semi")
        return Scanned(videos.sort(_IDENTITY), items.sort(_IDENTITY, "start"))

    def thumbnails(self, hashes: Sequence[str]) -> Mapping[str, bytes]:
        """JPEG pictures by content hash; those without one are left out.

        Raises
        ------
        EpoxyError
            If the table cannot be read.
        """
        if not hashes:
            return {}
        listed = ", ".join(f"'{name}'" for name in dict.fromkeys(hashes))
        with readable(self.path):
            found = self._read(
                self._items, ["content_hash", _THUMBNAIL], f"content_hash IN ({listed})"
            )
        return {} if found is None else dict(found.iter_rows())

    def compact(self) -> None:
        """Merge small files and drop old versions.

        Raises
        ------
        EpoxyError
            If a table cannot be written.
        """
        with readable(self.path):
            for name in (self._items, self._videos):
                table = open_table(self.path, name)
                if table is not None:
                    compact(table)

    def _read(
        self, name: str, columns: list[str] | None, condition: str | None = None
    ) -> pl.DataFrame | None:
        table = open_table(self.path, name)
        if table is None:
            return None
        wanted = [one for one in columns or table.schema.names if columns or one != _THUMBNAIL]
        query = table.search().select(wanted)
        rows = pl.from_arrow((query.where(condition) if condition else query).to_arrow())
        assert isinstance(rows, pl.DataFrame)
        return rows

    def _add(self, name: str, rows: pl.DataFrame) -> None:
        data = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        table: Any = open_table(self.path, name)
        if table is None:
            connect(self.path).create_table(name, data=data)
        else:
            table.add(data)


def _content_hash(digest: str, frames: Sequence[int]) -> str:
    content = f"{digest}:{','.join(map(str, frames))}"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
