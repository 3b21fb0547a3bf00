// SPDX-License-Identifier: BSD-2-Clause

//! Nothing of its own: with it the kit links std, and the tests take that.
