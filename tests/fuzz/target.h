/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry: any bytes, no crash, no report of a sanitizer. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A target may bring its own: it calls the one of libFuzzer, or of the driver,
 * and mends what chance alone never gets right. Returns the new size. */
size_t LLVMFuzzerCustomMutator (
    uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size);
