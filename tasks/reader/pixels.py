"""Any picture's pixels as the eye sees them: upright, eight bits a channel, grey or RGB.

A conversion that only cuts (16 bits to 8, floats to 8 bits) makes white or black of what was
grey; here the range that the picture really uses is spread over the 256 shades instead.
"""

from __future__ import annotations

import math

from PIL import Image, ImageCms, ImageOps, ImageStat

_PHOTOMETRIC = 262
_WHITE_IS_ZERO = 0
# Writing on transparent ground that is lighter than this was meant for a dark one.
_LIGHT_INK = 170


def upright(image: Image.Image) -> Image.Image:
    """Return the image turned as its EXIF orientation says, in mode ``1``, ``L`` or ``RGB``."""
    # A HEIF picture was turned when it was decoded; its EXIF block says so again.
    return plain(image if image.format == "HEIF" else ImageOps.exif_transpose(image))


def plain(image: Image.Image) -> Image.Image:
    """Return the image in mode ``1``, ``L`` or ``RGB``, with the shades that a viewer shows."""
    mode = image.mode
    if mode in ("1", "L", "RGB"):
        return _on_paper(image) if "transparency" in image.info else image
    if mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        return _on_paper(image)
    if mode == "P":
        return _on_paper(image) if "transparency" in image.info else image.convert("RGB")
    if mode.startswith(("I", "F")):
        return _spread(image)
    if mode == "LAB":
        return _from_lab(image)
    return image.convert("RGB")


def _on_paper(image: Image.Image) -> Image.Image:
    """Return the image without transparency, on the ground on which it can be seen.

    Transparent means paper, not ink: white, or black where what is drawn is itself light.
    """
    layers = image.convert("RGBA")
    alpha = layers.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return layers.convert("RGB")
    drawn = alpha.point(lambda a: 255 if a > 64 else 0)
    shade = ImageStat.Stat(layers.convert("L"), mask=drawn)
    light = bool(shade.count[0]) and shade.mean[0] > _LIGHT_INK and shade.stddev[0] < 80
    mostly_bare = ImageStat.Stat(alpha).mean[0] < 128
    paper = Image.new("RGBA", layers.size, "black" if light and mostly_bare else "white")
    return Image.alpha_composite(paper, layers).convert("RGB")


def _spread(image: Image.Image) -> Image.Image:
    """Return a grey picture of more than eight bits with its own range spread over 0 to 255."""
    wide = image.convert("F")
    low, high = (float(end) for end in wide.getextrema())  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    scale = 255.0 / (high - low) if high > low else 0.0
    grey = wide.point(lambda value: value * scale - low * scale).convert("L")
    if _inverted(image):
        return ImageOps.invert(grey)
    return grey


def _inverted(image: Image.Image) -> bool:
    """Whether zero means white (TIFF 6.0, PhotometricInterpretation) and Pillow has not turned it.

    Pillow turns pictures of up to eight bits itself.
    """
    tags = getattr(image, "tag_v2", None)
    return tags is not None and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _from_lab(image: Image.Image) -> Image.Image:
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    turned = ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")
    return turned if turned is not None else image.convert("L")
