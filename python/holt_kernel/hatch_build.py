"""Puts holt and its kernelspec into the wheel, which is then one for a platform."""

import os
import pathlib

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        stage = pathlib.Path(os.environ["HOLT_WHEEL_STAGE"])  # scripts/release.py fills it
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + os.environ["HOLT_WHEEL_PLATFORM"]
        for program in (stage / "bin").iterdir():
            build_data["shared_scripts"][str(program)] = program.name
        if (stage / "share").exists():
            build_data["shared_data"][str(stage / "share")] = "share"
