"""What services send, through the rules: parcels in, alerts out, and a checkpoint once they are safe."""

from eyas.intake.configured import Feed, configured
from eyas.intake.judging import Judge, judges
from eyas.intake.running import Intake

__all__ = ["Feed", "Intake", "Judge", "configured", "judges"]
