"""Where the cache may be."""

import contextlib
import os
import tempfile
from pathlib import Path


def roots() -> list[Path]:
    """Where the cache may be, the best place first: $SPARRING_CACHE, $XDG_CACHE_HOME, ~/.cache, a temporary folder."""
    places = [
        Path(os.environ[name], *rest)
        for name, *rest in (("SPARRING_CACHE",), ("XDG_CACHE_HOME", "sparring"))
        if os.environ.get(name)
    ]
    with contextlib.suppress(RuntimeError):
        places.append(Path.home() / ".cache" / "sparring")
    return [places[0], _temporary()] if places else [_temporary()]


def _temporary() -> Path:
    place = Path(tempfile.gettempdir()) / f"sparring-cache-{os.getuid() if hasattr(os, 'getuid') else 0}"
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, exist_ok=True)
        if not hasattr(os, "getuid") or place.lstat().st_uid == os.getuid():
            return place
    return Path(tempfile.mkdtemp(prefix="sparring-cache-"))
