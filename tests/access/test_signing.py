"""The files of the key that signs the audit log."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from susracker.access.signing import PublicKey, SigningKey, public_path
from susracker.errors import ConfigError


def test_a_public_key_that_is_missing_is_written_again(tmp_path: Path) -> None:
    """Whoever made the key may have been killed before it wrote the public one."""
    file = tmp_path / "keys" / "audit-key.pem"
    made = SigningKey.load_or_make(file)
    public_path(file).unlink()
    assert SigningKey.load_or_make(file).public.id == made.public.id
    assert PublicKey.load(public_path(file)).id == made.public.id
    assert stat.S_IMODE(public_path(file).stat().st_mode) & 0o077 == 0o044
    assert len(list(file.parent.iterdir())) == 2


def test_a_public_key_that_cannot_be_written_is_not_needed(tmp_path: Path, caplog) -> None:
    made = SigningKey.load_or_make(tmp_path / "audit-key.pem")
    # No name is left that is short enough for the draft of the public key.
    long = (tmp_path / "audit-key.pem").rename(tmp_path / f"{'x' * 240}.pem")
    assert SigningKey.load_or_make(long).public.id == made.public.id
    assert "cannot write the public key" in caplog.text


def test_a_damaged_key_is_told_in_one_line(tmp_path: Path) -> None:
    """It says that it is of X448, whose keys are longer; OpenSSL has no words for that."""
    file = tmp_path / "audit-key.pem"
    SigningKey.load_or_make(file)
    file.write_text(file.read_text().replace("K2Vw", "K2Vv"))
    with pytest.raises(ConfigError, match="OpenSSL cannot read the key") as error:
        SigningKey.load_or_make(file)
    assert "\n" not in str(error.value)
