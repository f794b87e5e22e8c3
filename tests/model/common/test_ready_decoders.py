import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_importing_it_loads_what_decodes_every_format() -> None:
    program = """
import sys
import model.common.image_formats
assert "pillow_heif" not in sys.modules
import model.common.ready_decoders
assert "pillow_heif" in sys.modules
from PIL import Image
assert {"JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"} <= set(Image.OPEN)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
