"""Put the law, the preferences, the strategy files and the board's rules into wheels (editable installs read the clone)."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DataFoldersHook(BuildHookInterface):
    """Copy `tracks/`, `conf/` and `baselines/` under `assay/` in a standard wheel, and the rules beside the pages."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Editable wheels are left alone: copies there would go stale."""
        if version == "standard":
            for folder in ("tracks", "conf", "baselines"):
                build_data["force_include"][folder] = f"assay/{folder}"
            build_data["force_include"]["leaderboard/RULES.md"] = "assay_board/RULES.md"
