"""The version of the three packages, in one place."""

VERSION = "0.1.0"
