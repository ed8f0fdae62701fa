"""`dragoman install`: model files that were fetched elsewhere."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dragoman.cli.options import ConfigFile, console, errors, settings_or_exit


def install(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Argos packages (.argosmodel).")],
    config: ConfigFile = None,
) -> None:
    """Install Argos translation packages from files. A running server takes them up when it is restarted."""
    from dragoman.models.engines.argos.package import read_package
    from dragoman.models.files.errors import BrokenModel
    from dragoman.models.files.manifest import Manifest, records_of
    from dragoman.models.files.packages import install_argos

    folder = settings_or_exit(config).models_path / "argos"
    wrong: list[str] = []
    for file in files:

        def seal(unpacked: Path, name: str, source: Path = file) -> None:
            Manifest(name, "argos", source.name, "", "see README.md", records_of(unpacked)).write(unpacked)

        try:
            package = read_package(folder / install_argos(file, folder, seal))
        except (ValueError, BrokenModel) as error:
            wrong.append(str(error))
        except OSError as error:
            wrong.append(f"cannot install {file}: {error.filename or folder}: {error.strerror}")
        else:
            version = f" {package.version}" if package.version else ""
            line = f"{package.name}{version} is installed: {package.pair} can now be translated"
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    for line in wrong:
        errors.print(f"[red]error:[/red] {escape(line)}", highlight=False, soft_wrap=True)
    if wrong:
        raise typer.Exit(1)
