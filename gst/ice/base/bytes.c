/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bytes.h"

#include <string.h>

void
ice_reader_init (IceReader *self, IceBytes bytes)
{
  self->data = bytes.data;
  self->left = bytes.size;
}

gboolean
ice_read_bytes (IceReader *self, gsize size, IceBytes *ret_value)
{
  if (size > self->left)
    return FALSE;

  *ret_value = ICE_BYTES (self->data, size);
  return ice_skip (self, size);
}

gboolean
ice_skip (IceReader *self, gsize size)
{
  if (size > self->left)
    return FALSE;

  /* An empty reader may have no data at all, and NULL + 0 is undefined. */
  if (size > 0)
    self->data += size;
  self->left -= size;
  return TRUE;
}

/* Byte by byte: datagrams have no alignment. */
static gboolean
read_big_endian (IceReader *self, gsize size, guint64 *ret_value)
{
  IceBytes bytes;
  guint64 value = 0;
  gsize i;

  if (!ice_read_bytes (self, size, &bytes))
    return FALSE;

  for (i = 0; i < size; i++)
    value = value << 8 | bytes.data[i];
  *ret_value = value;
  return TRUE;
}

gboolean
ice_read_u8 (IceReader *self, guint8 *ret_value)
{
  guint64 value;

  if (!read_big_endian (self, 1, &value))
    return FALSE;
  *ret_value = (guint8) value;
  return TRUE;
}

gboolean
ice_read_u16 (IceReader *self, guint16 *ret_value)
{
  guint64 value;

  if (!read_big_endian (self, 2, &value))
    return FALSE;
  *ret_value = (guint16) value;
  return TRUE;
}

gboolean
ice_read_u32 (IceReader *self, guint32 *ret_value)
{
  guint64 value;

  if (!read_big_endian (self, 4, &value))
    return FALSE;
  *ret_value = (guint32) value;
  return TRUE;
}

gboolean
ice_read_u64 (IceReader *self, guint64 *ret_value)
{
  return read_big_endian (self, 8, ret_value);
}

void
ice_writer_init (IceWriter *self, gsize expected)
{
  *self = (IceWriter){ .data = g_malloc (expected), .allocated = expected };
}

void
ice_writer_init_with (IceWriter *self, guint8 *space, gsize size)
{
  *self = (IceWriter){ .data = space, .allocated = size, .space = space };
}

void
ice_writer_clear (IceWriter *self)
{
  if (self->data != self->space)
    g_free (self->data);
  *self = (IceWriter){ 0 };
}

static void
writer_grow (IceWriter *self, gsize allocated)
{
  if (self->data == self->space) {
    self->data = g_malloc (allocated);
    if (self->size > 0)
      memcpy (self->data, self->space, self->size);
    self->space = NULL;
  } else {
    self->data = g_realloc (self->data, allocated);
  }
  self->allocated = allocated;
}

/* The next @size bytes, for the caller to fill. */
static guint8 *
writer_append (IceWriter *self, gsize size)
{
  guint8 *place;

  if (size > self->allocated - self->size)
    writer_grow (self, MAX (self->size + size, 2 * self->allocated));

  place = self->data + self->size;
  self->size += size;
  return place;
}

static void
write_big_endian (IceWriter *self, gsize size, guint64 value)
{
  guint8 *place = writer_append (self, size);

  while (size-- > 0) {
    place[size] = (guint8) value;
    value >>= 8;
  }
}

void
ice_write_u8 (IceWriter *self, guint8 value)
{
  write_big_endian (self, 1, value);
}

void
ice_write_u16 (IceWriter *self, guint16 value)
{
  write_big_endian (self, 2, value);
}

void
ice_write_u32 (IceWriter *self, guint32 value)
{
  write_big_endian (self, 4, value);
}

void
ice_write_u64 (IceWriter *self, guint64 value)
{
  write_big_endian (self, 8, value);
}

void
ice_write_bytes (IceWriter *self, IceBytes bytes)
{
  if (bytes.size > 0)
    memcpy (writer_append (self, bytes.size), bytes.data, bytes.size);
}

void
ice_write_zeros (IceWriter *self, gsize count)
{
  if (count > 0)
    memset (writer_append (self, count), 0, count);
}

void
ice_writer_patch_u16 (IceWriter *self, gsize offset, guint16 value)
{
  g_return_if_fail (offset + 2 <= self->size);

  self->data[offset] = (guint8) (value >> 8);
  self->data[offset + 1] = (guint8) value;
}

gboolean
ice_bytes_equal (IceBytes a, IceBytes b)
{
  return a.size == b.size &&
      (a.size == 0 || memcmp (a.data, b.data, a.size) == 0);
}

gchar *
ice_bytes_dup_utf8 (IceBytes bytes)
{
  const gchar *text = (const gchar *) bytes.data;

  if (bytes.size == 0)
    return g_strdup ("");
  /* With a length, g_utf8_validate_len() refuses embedded NULs too. */
  if (!g_utf8_validate_len (text, bytes.size, NULL))
    return NULL;
  return g_strndup (text, bytes.size);
}
