"""Writing an image to a card, and never to anything else."""

from edgenode.flash.card import Card, claimed
from edgenode.flash.device import Device, device, sized
from edgenode.flash.image import Image, examined
from edgenode.flash.machine import Machine
from edgenode.flash.refusal import LARGEST, Uses, doubts, rows
from edgenode.flash.writing import Flashed, Unwritable, flash

__all__ = [
    "LARGEST",
    "Card",
    "Device",
    "Flashed",
    "Image",
    "Machine",
    "Unwritable",
    "Uses",
    "claimed",
    "device",
    "doubts",
    "examined",
    "flash",
    "rows",
    "sized",
]
