"""The page on bundles knows all of them; that its examples run is tested with those of the other pages."""

from pathlib import Path

import overcoat.hooks
from overcoat.hooks import testing
from overcoat.hooks._bundle_options import BundleOptions
from overcoat.hooks._hook import PHASES

TEXT = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")


def test_every_public_name_is_on_the_page() -> None:
    names = {*overcoat.hooks.__all__, *testing.__all__} - {"HookCall", "Simulation"}
    assert [name for name in sorted(names) if name not in TEXT] == []


def test_every_option_and_phase_is_on_the_page() -> None:
    assert [name for name in (*BundleOptions.__annotations__, *PHASES) if f"`{name}" not in TEXT] == []
