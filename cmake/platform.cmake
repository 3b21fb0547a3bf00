# SPDX-License-Identifier: BSD-2-Clause
#
# Hooks of a platform: global properties SEL4_RUST_PLATFORM_<HOOK>, which the platform's own CMake files set before the
# first Rust library is added. Without them, an image for seL4 with muslc is built.
#
# | hook | meaning | default |
# |---|---|---|
# | TRIPLE | Rust target, whatever the C compiler says | the one that fits the C compiler |
# | RUNTIME | Cargo.toml of the runtime crate | rust/libsel4-rt |
# | RUNTIME_FEATURES | its features | those that the options RUST_HEAP and STD ask for |
# | LIBSEL4_IN_RUST | whether libsel4 is a Rust crate: then there are no bindings | FALSE |
# | OWN_STD | whether the Rust target's std works as it is: libsel4std is added to it, and what muslc needs is not checked | FALSE |
# | LINK_LIBRARIES, LINK_OPTIONS | what an archive is linked with; C and Rust share one C library, so it is not sealed | |
# | ADAPT | function to call with an executable and its Rust libraries before its archive is described: refuses them, or sets properties below | |
# | BIND | function to call with an executable, its bundle and the facts about that: adds what crates of the bundle need | |
# | COMPONENTS | whether executables are instances of CAmkES components: libsel4std has what a loader gives them, in place of BootInfo | FALSE |
# | PROGRAMS | whether executables are programs of this machine, which need no image and no ./backtrace | FALSE |
#
# SEL4_RUST_CALLBACKS of an executable names the functions that its C code refers to weakly; a `*` in front stands for any
# letters. Those of them that Rust defines are in the image. SEL4_RUST_ENVIRONMENT has variables for the build of its bundle,
# SEL4_RUST_RUNTIME_FEATURES further features of the runtime crate in it.

# Sets `out` to the value of `hook`, empty where the platform does not set it.
function(_sel4_rust_platform out hook)
    get_property(value GLOBAL PROPERTY SEL4_RUST_PLATFORM_${hook})
    set(${out} "${value}" PARENT_SCOPE)
endfunction()
