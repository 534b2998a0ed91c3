"""What is dropped: bundles of many small texts with some scans among them, so that reading lasts.

Run as a program it takes the same bundles in on one host that nothing disturbs.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.hosts.installation import CUSTODY, UNIT
from tests.house import make_bundle

BUNDLES, TEXTS, SCANS = 5, 32, 4
_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def case_no(number: int) -> str:
    """Return the case of a bundle: each has its own, so that order changes no number."""
    return f"沪市监案〔2026〕10{number:02}号"


def drop(share: Path, number: int) -> None:
    """Drop one bundle, all at once."""
    files = {}
    for each in range(TEXTS):
        files[f"{each:03}.txt"] = f"第 {number} 包第 {each} 份文件：甲方客户名单".encode()
        if each % (TEXTS // SCANS) == 0:
            files[f"{each:03}-scan.png"] = _scan(number, each)
    bundle = make_bundle(share / "staging" / f"b{number}", f"B{number}", files, case_no(number))
    (bundle / ".done").touch()
    (share / "drop" / UNIT).mkdir(exist_ok=True)
    bundle.rename(share / "drop" / UNIT / bundle.name)


def _scan(number: int, page: int) -> bytes:
    image = Image.new("L", (1240, 900), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(_FONT, 30)
    for line in range(14):
        words = f"Delivery {number:02}-{page:02}-{line:02} of the customer list, price {line * 37}"
        draw.text((80, 60 + 55 * line), words, fill=0, font=font)
    made = io.BytesIO()
    image.save(made, "PNG", dpi=(150, 150))
    return made.getvalue()


def take_in_alone(home: Path, told: Path) -> None:
    """Take every bundle in on this host alone; write down what came of it."""
    subprocess.run([*CUSTODY, "init"], check=True)
    for number in range(1, BUNDLES + 1):
        drop(home, number)
    subprocess.run([*CUSTODY, "watch", "--once"], check=True)
    with told.open("wb") as out:
        subprocess.run([sys.executable, "-m", "tests.hosts.told", "rows"], check=True, stdout=out)


if __name__ == "__main__":
    take_in_alone(Path(sys.argv[1]), Path(sys.argv[2]))
