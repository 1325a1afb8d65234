#!/usr/bin/env bash
# The Python package as its users get it: a wheel, installed in a clean virtual environment, and its tests there. What they
# need besides (nanobind, scikit-build-core, NumPy, pytest) comes from PyPI; PyTorch is too large for that, so the tests
# that need it are skipped and say so. The wheel's code is optimised less than a user's: it is compiled for this alone.
#   tests/python.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${ACT_OFFLINE:-}" = 1 ]; then
  echo "tests/python.sh: ACT_OFFLINE=1: skipped, a wheel is built with packages from PyPI"
  exit 0
fi
folder=${1:-build/ci-python}
rm -rf "$folder"
python3 -m venv "$folder"
pip=("$folder/bin/pip" --quiet --disable-pip-version-check)
"${pip[@]}" wheel --no-deps --wheel-dir "$folder/wheels" --config-settings=cmake.define.CMAKE_CXX_FLAGS_RELEASE="-O1 -DNDEBUG" .
"${pip[@]}" install "$folder"/wheels/act_calibration-*.whl numpy pytest
tests=$PWD/python/tests
cd "$folder"  # where nothing but the installed package is called act
bin/python -m pytest -q -rs -p no:cacheprovider "$tests"
