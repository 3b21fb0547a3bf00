# SPDX-License-Identifier: BSD-2-Clause
#
# Settings of an app that is an assembly of CAmkES components.
file(GLOB projects "${CAMKES_WORKSPACE}/projects/*")
list(APPEND CMAKE_MODULE_PATH ${projects})
# The root server is the loader of the components, which holds the capabilities of all of them.
set(KernelRootCNodeSizeBits 17 CACHE STRING "")
set(CapDLLoaderMaxObjects 20000 CACHE STRING "")
