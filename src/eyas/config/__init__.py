"""The configuration: eyas.yaml or falco.yaml, environment and `-o`, checked by one schema."""

from eyas.config.loading import Config, load
from eyas.config.schema import AppendOutput, Place, Settings

__all__ = ["AppendOutput", "Config", "Place", "Settings", "load"]
