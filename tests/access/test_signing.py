"""The files of the key that signs the audit log."""

from __future__ import annotations

import stat
from pathlib import Path

from susracker.access.signing import PublicKey, SigningKey, public_path


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
