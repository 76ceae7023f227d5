import pytest

from assay.errors import SettingsError
from assay.settings import compose


def test_overrides_reach_the_settings() -> None:
    settings = compose(["device=cpu", "logging=wandb", "threads=1", "machine.processes=2"])
    assert (settings.device, settings.threads, settings.machine.processes) == ("cpu", 1, 2)
    assert settings.logging.wandb
    assert settings.logging.mode == "offline"


def test_wandb_is_off_by_default() -> None:
    assert not compose([]).logging.wandb


@pytest.mark.parametrize(
    "word",
    [
        "recipe.optimizer.lr=1", "+recipe.optimizer.lr=1", "++tokens_seen=5", "~device", "seed=3", "scale=pico",
        "device=tpu", "threads=many", "threads=-1", "logging=nowhere", "machine.processes=0",
    ],
)  # fmt: skip
def test_a_sealed_or_unknown_value_cannot_be_overridden(word: str) -> None:
    with pytest.raises(SettingsError) as caught:
        compose([word])
    assert word.split("=")[0].lstrip("+~") in str(caught.value)
    assert "\n" not in str(caught.value)
