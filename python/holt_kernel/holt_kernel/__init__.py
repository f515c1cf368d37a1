"""Finds the program holt, which this package brings."""

import os
import sys
import sysconfig


def find_holt():
    """The path of the program. It is among the commands of the environment that the package is installed in."""
    name = "holt" + (sysconfig.get_config_var("EXE") or "")
    user = {"nt": "nt_user"}.get(os.name, "posix_user")
    if sys.platform == "darwin" and sys._framework:
        user = "osx_framework_user"
    beside = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin")  # pip install --target
    folders = [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", scheme=user), beside]
    for folder in folders:
        file = os.path.join(folder, name)
        if os.path.isfile(file):
            return file
    again = "pip install --force-reinstall holt-kernel"
    raise FileNotFoundError(f"{name} is in none of {', '.join(folders)}; install it again: {again}")
