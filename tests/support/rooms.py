"""The rooms of the package."""

MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "render": {"core"},
    "explain": {"core", "render"},
    "sweep": {"core", "render", "explain"},
    "readers": {"core"},
    "builders": {"core"},
    "conventions": {"core", "readers"},
    "measure": {"core", "render", "readers", "builders"},
    "report": {"core", "render", "explain", "readers", "conventions", "measure"},
    "cli": {"core", "render", "explain", "sweep", "readers", "builders", "conventions", "measure", "report"},
}
"""The rooms, and the rooms that each imports from."""
