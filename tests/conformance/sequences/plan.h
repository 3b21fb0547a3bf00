/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which sequences are run: the first one, how many, which of their steps (one bit each), and whether they are shown.
 */
{ 0, 2000, 0x3fffffff, 0 },
