/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "json.h"

#include <string.h>

/* RFC 7493 2.2: whole numbers beyond it are not exact everywhere. */
#define MAX_WHOLE (G_GUINT64_CONSTANT (1) << 53)

struct _GstIceJson
{
  GHashTable *strings; /* (owned) path -> text; NULL for other values */
  GHashTable *numbers; /* (owned) path -> guint64 */
};

typedef struct
{
  const gchar *at, *end;
  guint depth;
  GString *path; /* (owned) (nullable) NULL inside an array: nobody asks */
  GstIceJson *into;
} Reader;

static gboolean read_value (Reader *in);

static void
skip_space (Reader *in)
{
  while (in->at < in->end &&
      (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r'))
    in->at++;
}

static gboolean
read_char (Reader *in, gchar c)
{
  if (in->at == in->end || *in->at != c)
    return FALSE;
  in->at++;
  return TRUE;
}

static gboolean
read_literal (Reader *in, const gchar *literal)
{
  gsize size = strlen (literal);

  if ((gsize) (in->end - in->at) < size || memcmp (in->at, literal, size) != 0)
    return FALSE;
  in->at += size;
  return TRUE;
}

static gboolean
read_hex4 (Reader *in, gunichar *ret_unit)
{
  guint i;

  if (in->end - in->at < 4)
    return FALSE;
  *ret_unit = 0;
  for (i = 0; i < 4; i++) {
    gint digit = g_ascii_xdigit_value (*in->at++);

    if (digit < 0)
      return FALSE;
    *ret_unit = *ret_unit << 4 | digit;
  }
  return TRUE;
}

/* After "\u". RFC 8259 7: beyond the basic plane as a surrogate pair. */
static gboolean
read_unicode (Reader *in, GString *text)
{
  gunichar unit, low;

  if (!read_hex4 (in, &unit) || unit == 0)
    return FALSE;
  if (unit >= 0xdc00 && unit <= 0xdfff)
    return FALSE;
  if (unit >= 0xd800 && unit <= 0xdbff) {
    if (!read_literal (in, "\\u") || !read_hex4 (in, &low) || low < 0xdc00 ||
        low > 0xdfff)
      return FALSE;
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  g_string_append_unichar (text, unit);
  return TRUE;
}

static gboolean
read_escape (Reader *in, GString *text)
{
  static const gchar escapes[] = "\"\\/bfnrt";
  static const gchar meanings[] = "\"\\/\b\f\n\r\t";
  const gchar *escape;

  if (in->at == in->end)
    return FALSE;
  if (read_char (in, 'u'))
    return read_unicode (in, text);
  escape = *in->at != '\0' ? strchr (escapes, *in->at) : NULL;
  if (escape == NULL)
    return FALSE;
  in->at++;
  g_string_append_c (text, meanings[escape - escapes]);
  return TRUE;
}

static gboolean
read_string (Reader *in, gchar **ret_text)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (!read_char (in, '"'))
    return FALSE;
  while (in->at < in->end && *in->at != '"') {
    const guchar c = *in->at;

    /* RFC 8259 7: control characters are escaped. */
    if (c < 0x20)
      return FALSE;
    in->at++;
    if (c != '\\')
      g_string_append_c (text, c);
    else if (!read_escape (in, text))
      return FALSE;
  }
  if (!read_char (in, '"'))
    return FALSE;
  *ret_text = g_string_free (g_steal_pointer (&text), FALSE);
  return TRUE;
}

static gboolean
read_digits (Reader *in, guint64 *ret_number)
{
  const gchar *start = in->at;

  *ret_number = 0;
  for (; in->at < in->end && g_ascii_isdigit (*in->at); in->at++)
    *ret_number = MIN (*ret_number * 10 + (*in->at - '0'), MAX_WHOLE + 1);
  return in->at > start;
}

/* RFC 8259 6. @ret_whole: it is one that can be asked for. */
static gboolean
read_number (Reader *in, guint64 *ret_number, gboolean *ret_whole)
{
  guint64 ignored;

  *ret_number = 0;
  *ret_whole = !read_char (in, '-');
  if (!read_char (in, '0') && !read_digits (in, ret_number))
    return FALSE;
  if (*ret_number > MAX_WHOLE)
    *ret_whole = FALSE;
  if (read_char (in, '.')) {
    *ret_whole = FALSE;
    if (!read_digits (in, &ignored))
      return FALSE;
  }
  if (read_char (in, 'e') || read_char (in, 'E')) {
    *ret_whole = FALSE;
    if (!read_char (in, '+'))
      read_char (in, '-');
    if (!read_digits (in, &ignored))
      return FALSE;
  }
  return TRUE;
}

static gboolean
keep_string (Reader *in, gchar *text)
{
  if (in->path == NULL) {
    g_free (text);
    return TRUE;
  }
  return g_hash_table_insert (
      in->into->strings, g_strdup (in->path->str), text);
}

static void
keep_number (Reader *in, guint64 number)
{
  guint64 *copy = g_new (guint64, 1);

  *copy = number;
  g_hash_table_insert (in->into->numbers, g_strdup (in->path->str), copy);
}

static gboolean
read_member (Reader *in)
{
  const gsize outer = in->path != NULL ? in->path->len : 0;
  g_autofree gchar *name = NULL;
  gboolean ok;

  skip_space (in);
  if (!read_string (in, &name))
    return FALSE;
  skip_space (in);
  if (!read_char (in, ':'))
    return FALSE;

  if (in->path != NULL) {
    if (outer > 0)
      g_string_append_c (in->path, '.');
    g_string_append (in->path, name);
  }
  ok = read_value (in);
  if (in->path != NULL)
    g_string_truncate (in->path, outer);
  return ok;
}

static gboolean
read_members (Reader *in)
{
  skip_space (in);
  if (read_char (in, '}'))
    return TRUE;
  do {
    if (!read_member (in))
      return FALSE;
    skip_space (in);
  } while (read_char (in, ','));
  return read_char (in, '}');
}

static gboolean
read_elements (Reader *in)
{
  GString *path = g_steal_pointer (&in->path);
  gboolean ok = TRUE;

  skip_space (in);
  if (!read_char (in, ']')) {
    do
      ok = read_value (in);
    while (ok && read_char (in, ','));
    ok = ok && read_char (in, ']');
  }
  in->path = path;
  return ok;
}

static gboolean
read_nested (Reader *in, gboolean (*read) (Reader *))
{
  gboolean ok;

  if (in->depth == GST_ICE_JSON_MAX_DEPTH)
    return FALSE;
  in->depth++;
  ok = read (in);
  in->depth--;
  return ok;
}

static gboolean
read_scalar (Reader *in)
{
  guint64 number;
  gboolean whole;

  if (in->at < in->end && *in->at == '"') {
    gchar *text;

    return read_string (in, &text) && keep_string (in, text);
  }
  if (read_literal (in, "true") || read_literal (in, "false") ||
      read_literal (in, "null"))
    return keep_string (in, NULL);
  if (!read_number (in, &number, &whole) || !keep_string (in, NULL))
    return FALSE;
  if (whole && in->path != NULL)
    keep_number (in, number);
  return TRUE;
}

static gboolean
read_value (Reader *in)
{
  gboolean ok;

  skip_space (in);
  if (read_char (in, '{'))
    ok = keep_string (in, NULL) && read_nested (in, read_members);
  else if (read_char (in, '['))
    ok = keep_string (in, NULL) && read_nested (in, read_elements);
  else
    ok = read_scalar (in);
  skip_space (in);
  return ok;
}

GstIceJson *
gst_ice_json_parse (const gchar *text, gsize size)
{
  g_autoptr (GstIceJson) self = NULL;
  Reader in = { text, text + size, 0, NULL, NULL };
  gboolean ok;

  if (size > GST_ICE_JSON_MAX_SIZE || !g_utf8_validate (text, size, NULL))
    return NULL;

  self = g_new0 (GstIceJson, 1);
  self->strings =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->numbers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  in.into = self;
  in.path = g_string_new (NULL);

  skip_space (&in);
  ok = read_char (&in, '{') && read_nested (&in, read_members);
  skip_space (&in);
  g_string_free (in.path, TRUE);
  return ok && in.at == in.end ? g_steal_pointer (&self) : NULL;
}

void
gst_ice_json_free (GstIceJson *self)
{
  g_hash_table_unref (self->strings);
  g_hash_table_unref (self->numbers);
  g_free (self);
}

const gchar *
gst_ice_json_get_string (GstIceJson *self, const gchar *path)
{
  return g_hash_table_lookup (self->strings, path);
}

gboolean
gst_ice_json_get_uint (GstIceJson *self, const gchar *path, guint64 *ret_value)
{
  const guint64 *number = g_hash_table_lookup (self->numbers, path);

  if (number == NULL)
    return FALSE;
  *ret_value = *number;
  return TRUE;
}

GString *
gst_ice_json_begin (void)
{
  return g_string_new ("{");
}

static void
add_quoted (GString *object, const gchar *text)
{
  g_string_append_c (object, '"');
  for (; *text != '\0'; text++) {
    const guchar c = *text;

    switch (c) {
      case '"':
        g_string_append (object, "\\\"");
        break;
      case '\\':
        g_string_append (object, "\\\\");
        break;
      case '\r':
        g_string_append (object, "\\r");
        break;
      case '\n':
        g_string_append (object, "\\n");
        break;
      default:
        if (c < 0x20)
          g_string_append_printf (object, "\\u%04x", c);
        else
          g_string_append_c (object, c);
        break;
    }
  }
  g_string_append_c (object, '"');
}

static void
add_name (GString *object, const gchar *name)
{
  if (object->len > 1)
    g_string_append_c (object, ',');
  add_quoted (object, name);
  g_string_append_c (object, ':');
}

void
gst_ice_json_add_string (GString *object, const gchar *name, const gchar *value)
{
  if (value == NULL)
    return;
  add_name (object, name);
  add_quoted (object, value);
}

void
gst_ice_json_add_uint (GString *object, const gchar *name, guint64 value)
{
  add_name (object, name);
  g_string_append_printf (object, "%" G_GUINT64_FORMAT, value);
}

gchar *
gst_ice_json_end (GString *object)
{
  g_string_append (object, "}\n");
  return g_string_free (object, FALSE);
}
