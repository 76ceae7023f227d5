"""One training process of several: `python -m assay.runner.worker RUN_FOLDER`, under a launcher."""

import sys
from pathlib import Path

from assay.errors import UserError
from assay.runner.training import train_run

if __name__ == "__main__":
    try:
        train_run(Path(sys.argv[1]))
    except UserError as error:
        sys.exit(f"assay: {error}")
