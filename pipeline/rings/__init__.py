"""Packet rings: frames in memory shared with the kernel, as numpy views."""
