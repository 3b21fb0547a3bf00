# SPDX-License-Identifier: BSD-2-Clause
#
# Links the root server by LLVM's linker, the package lld: GNU ld 2.40 refuses muslc 1.1.16, in C alone too. A cross GCC looks
# for linkers of other names only in folders that -B names.
find_program(lld ld.lld REQUIRED NO_CACHE)
cmake_path(GET lld PARENT_PATH lld_dir)
cmake_language(DEFER CALL target_link_options rootserver PRIVATE -fuse-ld=lld "-B${lld_dir}")
