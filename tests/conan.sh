#!/usr/bin/env bash
# The Conan package as its users get it: conan (from PyPI, in a virtual environment of its own) makes it from conanfile.py, and an
# outside project finds it.
#   tests/conan.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${ACT_OFFLINE:-}" = 1 ]; then
  echo "tests/conan.sh: ACT_OFFLINE=1: skipped, conan comes from PyPI"
  exit 0
fi
mkdir -p "${1:-build/ci-conan}"
folder=$(cd "${1:-build/ci-conan}" && pwd)
rm -rf "${folder:?}"/*
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install 'conan>=2,<3'
export CONAN_HOME=$folder/home  # no settings or packages of the user's
conan=("$folder/venv/bin/conan")
"${conan[@]}" profile detect >/dev/null 2>&1
"${conan[@]}" remote disable '*' >/dev/null  # it needs no other package
version=$("${conan[@]}" inspect conanfile.py --format=json | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')
"${conan[@]}" create . >"$folder/create.log" 2>&1 || { cat "$folder/create.log"; exit 1; }
(cd "$folder" && "${conan[@]}" install --requires "act/$version" -g CMakeToolchain -of toolchain) >"$folder/install.log" 2>&1 ||
  { cat "$folder/install.log"; exit 1; }
cmake -G Ninja -S tests/consumers/find_package -B "$folder/consumer" -D CMAKE_BUILD_TYPE=Release \
  -D CMAKE_TOOLCHAIN_FILE="$(find "$folder/toolchain" -name conan_toolchain.cmake)" >/dev/null
grep -q "act_DIR:PATH=$CONAN_HOME/" "$folder/consumer/CMakeCache.txt"  # this one, not one that happens to be installed
cmake --build "$folder/consumer" >/dev/null
said=$("$folder/consumer/consumer")
echo "tests/conan.sh: $said"
[[ $said == "act $version: calibrated, "* ]]
