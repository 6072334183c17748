/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "types.h"

G_BEGIN_DECLS

/* IceReader: a cursor that cannot leave the packet. Each call returns FALSE
 * and moves nothing when fewer bytes are left than it wants. Integers are big
 * endian, as on the wire. */
typedef struct
{
  const guint8 *data; /* (unowned) the next byte */
  gsize left;
} IceReader;

void ice_reader_init (IceReader *self, IceBytes bytes);
gboolean ice_read_u8 (IceReader *self, guint8 *ret_value);
gboolean ice_read_u16 (IceReader *self, guint16 *ret_value);
gboolean ice_read_u32 (IceReader *self, guint32 *ret_value);
gboolean ice_read_u64 (IceReader *self, guint64 *ret_value);
gboolean ice_read_bytes (IceReader *self, gsize size, IceBytes *ret_value);
gboolean ice_skip (IceReader *self, gsize size);

/* IceWriter: bytes that grow. */
typedef struct
{
  guint8 *data; /* (owned) but for @space */
  gsize size, allocated;
  guint8 *space; /* (unowned) (nullable) where the first bytes go */
} IceWriter;

void ice_writer_init (IceWriter *self, gsize expected);
/* Asks for memory only when @space is too small. */
void ice_writer_init_with (IceWriter *self, guint8 *space, gsize size);
void ice_writer_clear (IceWriter *self);
void ice_write_u8 (IceWriter *self, guint8 value);
void ice_write_u16 (IceWriter *self, guint16 value);
void ice_write_u32 (IceWriter *self, guint32 value);
void ice_write_u64 (IceWriter *self, guint64 value);
void ice_write_bytes (IceWriter *self, IceBytes bytes);
void ice_write_zeros (IceWriter *self, gsize count);
/* Overwrites two bytes that were written before. */
void ice_writer_patch_u16 (IceWriter *self, gsize offset, guint16 value);

gboolean ice_bytes_equal (IceBytes a, IceBytes b);
/* (transfer full) NUL-terminated copy; NULL when the bytes are not UTF-8 or
 * hold a NUL. */
gchar *ice_bytes_dup_utf8 (IceBytes bytes);

G_END_DECLS
