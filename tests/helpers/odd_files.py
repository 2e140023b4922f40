"""Odd image files, made here, each with what must become of it."""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

COLOUR = (200, 100, 40)
GREY = 128


@dataclass(frozen=True)
class Odd:
    """`colour`: the mean RGB that it must have (within `within`), or `reason`: a part of why it is skipped."""

    name: str
    data: bytes
    colour: tuple[float, float, float] | None = None
    size: tuple[int, int] = (20, 30)
    within: float = 1.0
    reason: str = ""
    note: str = ""


def saved(image, kind, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def flat(mode="RGB", colour=COLOUR, size=(30, 20)) -> Image.Image:
    return Image.new(mode, size, colour)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, kind, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG by hand, for depths that Pillow can't write and sizes that it should not make."""
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def png16(values, kind, channels) -> bytes:
    row = b"\0" + struct.pack(">" + "H" * channels, *values) * 30
    return png(30, 20, 16, kind, row * 20)


def bmp_bomb() -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, 60000, 60000, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + head


def without_adobe_marker(data: bytes) -> bytes:
    """A JPEG without its APP14 segment."""
    place = data.index(b"\xff\xee")
    length = struct.unpack(">H", data[place + 2 : place + 4])[0]
    return data[:place] + data[place + 2 + length :]


def quadrants() -> Image.Image:
    """20 high, 30 wide; red, green / blue, white."""
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :15], pixels[:10, 15:], pixels[10:, :15], pixels[10:, 15:] = (
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255,) * 3,
    )
    return Image.fromarray(pixels)


def with_orientation(kind, orientation) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(
        quadrants(), kind, exif=exif, **({"quality": 98, "subsampling": 0} if kind == "JPEG" else {})
    )


def moving(kind) -> bytes:
    first, second = flat(), flat(colour=(0, 0, 255))
    return saved(first, kind, save_all=True, append_images=[second, second], duration=50)


def good() -> list[Odd]:
    grey = (GREY,) * 3
    white = (255, 255, 255)
    palette = flat().quantize(4)
    see_through = flat("RGBA", (*COLOUR, 0))
    half = tuple((value + 255) / 2 for value in COLOUR)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8))
    mean = tuple(np.asarray(noise).mean((0, 1)))
    cmyk = Image.new("CMYK", (30, 20), (0, 128, 200, 50))
    naive = tuple((255 - ink) * (255 - 50) / 255 for ink in (0, 128, 200))
    one_bit = Image.fromarray((np.indices((20, 30)).sum(0) % 2 * 255).astype(np.uint8)).convert("1")
    return [
        Odd("rgb.png", saved(flat(), "PNG"), COLOUR),
        Odd("rgb.jpg", saved(flat(), "JPEG", quality=95), COLOUR, within=2),
        Odd("progressive.jpg", saved(flat(), "JPEG", quality=95, progressive=True), COLOUR, within=2),
        Odd("rgb.webp", saved(flat(), "WEBP", lossless=True), COLOUR),
        Odd("lossy.webp", saved(flat(), "WEBP", quality=95), COLOUR, within=4),
        Odd("rgb.bmp", saved(flat(), "BMP"), COLOUR),
        Odd("rgb.tif", saved(flat(), "TIFF"), COLOUR),
        Odd("lzw.tiff", saved(noise, "TIFF", compression="tiff_lzw"), mean),
        Odd("flat.gif", saved(palette, "GIF"), COLOUR),
        Odd("noise.png", saved(noise, "PNG"), mean),
        Odd("grey.png", saved(flat("L", GREY), "PNG"), grey),
        Odd("grey.jpg", saved(flat("L", GREY), "JPEG"), grey),
        Odd("la.png", saved(flat("LA", (GREY, 255)), "PNG"), grey),
        Odd("la-clear.png", saved(flat("LA", (GREY, 0)), "PNG"), white),
        Odd("rgba.png", saved(flat("RGBA", (*COLOUR, 255)), "PNG"), COLOUR),
        Odd("rgba-half.png", saved(flat("RGBA", (*COLOUR, 128)), "PNG"), half, within=1.5),
        Odd("alpha-0.png", saved(see_through, "PNG"), white),
        Odd("alpha-0.webp", saved(see_through, "WEBP", lossless=True, exact=True), white),
        Odd("palette.png", saved(palette, "PNG"), COLOUR),
        Odd("palette-clear.png", saved(flat("P", 0), "PNG", transparency=0), white),
        Odd("rgb-key.png", saved(flat(), "PNG", transparency=COLOUR), white, note="alpha"),
        Odd("grey-key.png", saved(flat("L", GREY), "PNG", transparency=GREY), white, note="alpha"),
        Odd("one-bit.png", saved(one_bit, "PNG"), (127.5,) * 3),
        Odd("one-bit.tif", saved(one_bit, "TIFF", compression="group4"), (127.5,) * 3),
        Odd("16-bit-grey.png", png16([127 * 257], 0, 1), (127,) * 3, note="16-bit"),
        Odd("16-bit-dark.png", png16([300], 0, 1), (300 / 257,) * 3, note="16-bit"),
        Odd("16-bit-grey-alpha.png", png16([127 * 257, 65535], 4, 2), (127,) * 3),
        Odd("16-bit-rgb.png", png16([value * 257 for value in COLOUR], 2, 3), COLOUR),
        Odd("16-bit-rgba.png", png16([*(value * 257 for value in COLOUR), 65535], 6, 4), COLOUR),
        Odd("16-bit.tif", saved(Image.fromarray(np.full((20, 30), 127 * 257, np.uint16)), "TIFF"), (127,) * 3, note="16-bit"),
        Odd("32-bit.tif", saved(Image.fromarray(np.full((20, 30), 200, np.int32)), "TIFF"), (200,) * 3, note="32-bit"),
        Odd("float-unit.tif", saved(Image.fromarray(np.full((20, 30), 0.5, np.float32)), "TIFF"), (127.5,) * 3, note="float"),
        Odd("float-255.tif", saved(Image.fromarray(np.full((20, 30), 77, np.float32)), "TIFF"), (77,) * 3, note="float"),
        Odd("float-signed.tif", saved(Image.fromarray(np.full((20, 30), -0.5, np.float32)), "TIFF"), (63.75,) * 3, note="float"),
        Odd("cmyk.tif", saved(cmyk, "TIFF"), naive, within=2, note="CMYK"),
        Odd("cmyk-adobe-inverted.jpg", saved(cmyk, "JPEG", quality=98), naive, within=4, note="CMYK"),
        Odd("cmyk-plain.jpg", without_adobe_marker(saved(ink_inverted(cmyk), "JPEG", quality=98)), naive, within=4, note="CMYK"),
        Odd("icc.png", saved(flat(), "PNG", icc_profile=b"not a profile" * 20), COLOUR),
        Odd("bad-exif.jpg", saved(flat(), "JPEG", quality=95, exif=b"Exif\0\0II*\0garbage-garbage"), COLOUR, within=2),
        Odd("moving.gif", moving("GIF"), COLOUR, within=8, note="first frame"),
        Odd("moving.webp", moving("WEBP"), COLOUR, within=8, note="first frame"),
        Odd("moving.png", moving("PNG"), COLOUR, note="first frame"),
        Odd("pages.tif", saved(flat(), "TIFF", save_all=True, append_images=[flat(colour=(0, 0, 255))]), COLOUR),
        Odd("png-called.jpg", saved(flat(), "PNG"), COLOUR),
        Odd("jpeg-called.gif", saved(flat(), "JPEG", quality=95), COLOUR, within=2),
        Odd("no-suffix", saved(flat(), "PNG"), COLOUR),
        Odd("LOUD.PNG", saved(flat(), "PNG"), COLOUR),
        Odd("dot.png", saved(flat(size=(1, 1)), "PNG"), COLOUR, size=(1, 1)),
        Odd("tall.png", saved(flat(size=(1, 5000)), "PNG"), COLOUR, size=(5000, 1)),
        Odd("wide.png", saved(flat(size=(12000, 1)), "PNG"), COLOUR, size=(1, 12000)),
    ]  # fmt: skip


def ink_inverted(image: Image.Image) -> Image.Image:
    return Image.merge("CMYK", [band.point(lambda value: 255 - value) for band in image.split()])


def bad() -> list[Odd]:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8))
    whole, jpeg = saved(noise, "PNG"), saved(noise, "JPEG")
    cut = [Odd(f"cut-{part}.png", whole[: len(whole) * part // 10], reason="truncated") for part in (1, 5, 9)]
    cut += [Odd(f"cut-{part}.jpg", jpeg[: len(jpeg) * part // 10], reason="truncated") for part in (1, 5, 9)]
    broken = bytearray(whole)
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))
    broken[len(broken) // 2] ^= 0xFF
    nan = np.full((20, 30), np.nan, np.float32)
    return [
        *cut,
        Odd("flipped-bit.png", bytes(broken), reason="broken data"),
        Odd("cut.webp", saved(noise, "WEBP")[:3000], reason="damaged"),
        Odd("cut.tif", saved(noise, "TIFF")[:3000], reason="truncated"),
        Odd("cut.bmp", saved(noise, "BMP")[:3000], reason="truncated"),
        Odd("only-signature.png", whole[:8], reason="damaged"),
        Odd("nothing.png", b"", reason="empty"),
        Odd("text.png", b"this is no image\n" * 10, reason="not an image"),
        Odd("html.jpg", b"<html>404</html>", reason="not an image"),
        Odd("pdf.png", b"%PDF-1.4 ...", reason="not an image"),
        Odd("eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", reason="not an image"),
        Odd("psd.png", b"8BPS\0\1" + bytes(40), reason="not an image"),
        Odd("jpeg2000.png", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40), reason="not an image"),
        Odd("riff-sound.webp", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), reason="damaged"),
        Odd("bomb-81-mp.png", png(9000, 9000, 8, 0, bytes(9001) * 9), reason="million pixels"),
        Odd("bomb-claims.png", png(60000, 60000, 8, 2, b"x"), reason="too large"),
        Odd("bomb.bmp", bmp_bomb(), reason="too large"),
        Odd("text-bomb.png", png(30, 20, 8, 0, bytes(31) * 20, bomb), reason="too large"),
        Odd("nan.tif", saved(Image.fromarray(nan), "TIFF"), reason="finite"),
        Odd("wild-float.tif", saved(Image.fromarray(np.full((20, 30), -1e9, np.float32)), "TIFF"), reason="range"),
    ]  # fmt: skip
