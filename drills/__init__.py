"""Drills: faults, open-loop probes and a verdict on what clients felt."""
