"""Frames as a file: GIF, WebP, MP4, a folder of PNGs, or one sheet."""

import importlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.core.errors import SparringError
from sparring.data import grid_image, image_grid
from sparring.inference import sampling

MIN_SIZE = 256  # pixels of the longer side; smaller frames are enlarged by a whole factor
SHEET_COLUMNS = 16
FORMATS = ".gif, .webp, .mp4, .png (one sheet of all frames), or a folder"


def save_video(path: Path, frames: np.ndarray, fps: float = 15.0) -> None:
    """Write a video.

    Arguments:
        path: with the suffix .gif, .webp, .mp4 or .png (one sheet); without one a folder of 000000.png ...
        frames: uint8 (n, h, w, c), c of 1, 3 or 4.
        fps: frames per second.

    Raises:
        SparringError: another suffix, a frame rate out of range, or no program that can write MP4.
    """
    if not 0 < fps <= 100:
        raise SparringError(f"{fps} frames per second", "above 0, at most 100", "15 is usual")
    suffix = path.suffix.lower()
    if suffix and suffix not in (".gif", ".webp", ".mp4", ".png"):
        raise SparringError(f"--out {path}", f"a path that ends in {FORMATS}", "choose one of them")
    path.parent.mkdir(parents=True, exist_ok=True)
    if suffix == ".png":
        path.write_bytes(image_grid.encode_png(grid_image(frames, min(len(frames), SHEET_COLUMNS))))
    elif suffix == "":
        sampling.save_samples(path, frames, None, None)
    elif suffix == ".mp4":
        _save_mp4(path, np.stack([np.asarray(_enlarge(frame).convert("RGB")) for frame in frames]), fps)
    else:
        _save_animation(path, [_enlarge(frame) for frame in frames], fps)


def tile_frames(videos: np.ndarray, columns: int) -> np.ndarray:
    """Several videos as one: uint8 (steps, k, h, w, c) to (steps, H, W, c'), each frame a grid of k images."""
    frames = [np.asarray(grid_image(images, columns)) for images in videos]
    return np.stack([frame if frame.ndim == 3 else frame[:, :, None] for frame in frames])


def _enlarge(frame: np.ndarray) -> Image.Image:
    image = image_grid.to_pil_image(frame)
    factor = max(1, round(MIN_SIZE / max(image.size)))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _save_animation(path: Path, frames: list[Image.Image], fps: float) -> None:
    options: dict[str, Any] = {"loop": 0, "duration": round(1000 / fps)}
    if path.suffix.lower() == ".webp":
        options |= {"quality": 90, "method": 4}
        frames = [frame.convert("RGBA" if frame.mode == "RGBA" else "RGB") for frame in frames]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)


def _save_mp4(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write frames uint8 (n, h, w, 3) as H.264; sides are padded to even lengths, as the format requires."""
    _, height, width, _ = frames.shape
    frames = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    program = shutil.which("ffmpeg")
    if program is not None:
        _encode_with_ffmpeg(program, path, frames, fps)
        return
    try:
        av: Any = importlib.import_module("av")
    except ImportError:
        raise SparringError(
            f"--out {path}, without the program ffmpeg or the package av",
            "one of them, to write MP4",
            "install ffmpeg, or `pip install av`, or choose .webp or .gif",
        ) from None
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(fps), options={"crf": "16"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def _encode_with_ffmpeg(program: str, path: Path, frames: np.ndarray, fps: float) -> None:
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(fps), "-i", "-"]
    encoding = ["-an", "-c:v", "libx264", "-crf", "16", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    target = str(path.resolve())  # begins with '/', so that no file name is read as an option
    command = [program, "-loglevel", "error", "-y", *source, *encoding, target]
    process = subprocess.run(command, input=frames.tobytes(), capture_output=True, check=False)
    if process.returncode:
        lines = process.stderr.decode(errors="replace").strip().splitlines()
        raise SparringError(
            f"{path}: ffmpeg failed: {lines[-1] if lines else 'no message'}",
            "an ffmpeg that can encode H.264",
            "choose .webp or .gif",
        )
