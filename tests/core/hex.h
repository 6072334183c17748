/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes written as text, for tables of test data. */
#pragma once

#include "gst/ice/base/bytes.h"

/* (transfer full) "0a 0b0c"; blanks and line ends are skipped. */
static inline GByteArray *
hex_parse (const gchar *text)
{
  GByteArray *bytes = g_byte_array_new ();
  gint high = -1;

  for (; *text; text++) {
    gint digit = g_ascii_xdigit_value (*text);
    guint8 byte;

    if (g_ascii_isspace (*text))
      continue;
    g_assert_cmpint (digit, >=, 0);
    if (high < 0) {
      high = digit;
      continue;
    }
    byte = (guint8) (high << 4 | digit);
    g_byte_array_append (bytes, &byte, 1);
    high = -1;
  }
  g_assert_cmpint (high, <, 0);
  return bytes;
}

/* (transfer full) */
static inline gchar *
hex_format (IceBytes bytes)
{
  GString *text = g_string_new (NULL);
  gsize i;

  for (i = 0; i < bytes.size; i++)
    g_string_append_printf (text, "%02x", bytes.data[i]);
  return g_string_free (text, FALSE);
}

static inline void
assert_hex (IceBytes bytes, const gchar *wanted)
{
  g_autofree gchar *text = hex_format (bytes);

  g_assert_cmpstr (text, ==, wanted);
}
