# Cross-compiles for 64-bit ARM with Debian's g++-aarch64-linux-gnu and runs what it built with qemu-user.
# Header-only dependencies (xsimd, doctest) come from /usr/include, which Debian's cross compiler searches after its own
# folders: no header of the building machine's processor is there.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-L;/usr/aarch64-linux-gnu")

# Debian files xsimd's package under the processor that it was installed for, though it holds headers only.
file(GLOB act_installed_xsimd /usr/lib/*/cmake/xsimd)
if(act_installed_xsimd)
  list(GET act_installed_xsimd 0 act_installed_xsimd)
  set(xsimd_DIR ${act_installed_xsimd} CACHE PATH "Where xsimd's package is")
endif()
