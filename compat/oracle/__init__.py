"""The oracle: the real devpi-server and Larder, side by side, asked the same.

`scripts/` holds what is asked, `differences.py` every answer that may differ and why. Nothing else may.
"""
