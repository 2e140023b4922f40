"""Pictures of any size through a trained translator: brought to its scale, in tiles where they are large, and back."""

from sparring.translation.manner import Manner
from sparring.translation.pictures import Translated, translate_all, translate_array
from sparring.translation.tiles import Tiling

__all__ = ["Manner", "Tiling", "Translated", "translate_all", "translate_array"]
