"""Which way up a picture is, by its EXIF data."""

from PIL import Image

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image, *, loaded: bool) -> int:
    """EXIF orientation 1 to 8. Pillow turns TIFFs itself; a PNG's is asked for only where that needs no decoding."""
    if image.format == "TIFF" or (image.format == "PNG" and not loaded and "exif" not in image.info):
        return 1
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF data is no reason to lose the picture
        return 1
