/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry: any bytes, no crash, no report of a sanitizer. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
