/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "half.h"

#include <glib/gstdio.h>

static gchar *folder;

static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, Half *self)
{
  if (g_atomic_int_add (&self->n_buffers, 1) == 0)
    self->first_pts = GST_BUFFER_PTS (buffer);
}

Half *
half_new (const gchar *line, ...)
{
  Half *self = g_new0 (Half, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) out = NULL;
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, line);
  text = g_strdup_vprintf (line, args);
  va_end (args);
  self->pipeline = gst_parse_launch (text, &error);
  g_assert_no_error (error);
  if (!GST_IS_PIPELINE (self->pipeline)) {
    GstElement *pipeline = gst_pipeline_new (NULL);

    gst_bin_add (GST_BIN (pipeline), self->pipeline);
    self->pipeline = pipeline;
  }
  self->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);
  self->first_pts = GST_CLOCK_TIME_NONE;
  out = gst_bin_get_by_name (GST_BIN (self->pipeline), "out");
  if (out != NULL) {
    g_object_set (out, "signal-handoffs", TRUE, NULL);
    g_signal_connect (out, "handoff", G_CALLBACK (on_handoff), self);
  }
  return self;
}

void
half_free (Half *self)
{
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  half_look (self);
  gst_object_unref (self->pipeline);
  g_ptr_array_unref (self->messages);
  g_free (self);
}

void
half_set_state (Half *self, GstState state)
{
  g_assert_cmpint (gst_element_set_state (self->pipeline, state), !=,
      GST_STATE_CHANGE_FAILURE);
}

gchar *
half_complaint (Half *self, GstMessageType type, gchar **ret_cause)
{
  const GstStructure *details = NULL;
  guint i;

  for (i = 0; i < self->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (self->messages, i);
    g_autoptr (GError) error = NULL;

    if (GST_MESSAGE_TYPE (message) != type)
      continue;
    if (type == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, NULL);
      gst_message_parse_error_details (message, &details);
    } else {
      gst_message_parse_warning (message, &error, NULL);
      gst_message_parse_warning_details (message, &details);
    }
    if (ret_cause != NULL)
      *ret_cause = details != NULL
          ? g_strdup (gst_structure_get_string (details, "cause"))
          : NULL;
    return g_strdup (error->message);
  }
  return NULL;
}

void
half_look (Half *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus)) != NULL)
    g_ptr_array_add (self->messages, message);
  if (half_count (self, GST_MESSAGE_ERROR) > 0 && !self->errors_are_expected) {
    g_autofree gchar *text = half_complaint (self, GST_MESSAGE_ERROR, NULL);

    g_error ("unexpected: %s", text);
  }
}

void
half_begin (Half *self)
{
  half_set_state (self, GST_STATE_PAUSED);
}

gboolean
half_is_settled (Half *self)
{
  half_look (self);
  return half_count_progress (self, GST_PROGRESS_TYPE_START) ==
      half_count_progress (self, GST_PROGRESS_TYPE_COMPLETE);
}

gint
half_n_buffers (Half *self)
{
  return g_atomic_int_get (&self->n_buffers);
}

guint
half_count (Half *self, GstMessageType type)
{
  guint i, n = 0;

  for (i = 0; i < self->messages->len; i++)
    if (GST_MESSAGE_TYPE (g_ptr_array_index (self->messages, i)) == type)
      n++;
  return n;
}

guint
half_count_progress (Half *self, GstProgressType type)
{
  guint i, n = 0;

  for (i = 0; i < self->messages->len; i++) {
    GstMessage *message = g_ptr_array_index (self->messages, i);
    GstProgressType this;

    if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_PROGRESS)
      continue;
    gst_message_parse_progress (message, &this, NULL, NULL);
    n += this == type;
  }
  return n;
}

const GstStructure *
half_find (Half *self, const gchar *name)
{
  guint i;

  half_look (self);
  for (i = self->messages->len; i > 0; i--) {
    const GstStructure *structure =
        gst_message_get_structure (g_ptr_array_index (self->messages, i - 1));

    if (structure != NULL && gst_structure_has_name (structure, name))
      return structure;
  }
  return NULL;
}

void
half_connect (Half *first, Half *second)
{
  half_begin (first);
  half_begin (second);
  half_wait (
      first, second, half_is_settled (first) && half_is_settled (second));
  half_set_state (first, GST_STATE_PLAYING);
  half_set_state (second, GST_STATE_PLAYING);
}

const gchar *
half_place (void)
{
  static guint n;
  static gchar *place;

  g_free (place);
  place = g_strdup_printf ("%s/call%u", folder, n++);
  return place;
}

gboolean
half_have (const gchar *factories, ...)
{
  va_list args;
  gboolean all = TRUE;

  va_start (args, factories);
  for (; factories != NULL && all; factories = va_arg (args, const gchar *)) {
    g_autoptr (GstElementFactory) factory =
        gst_element_factory_find (factories);

    all = factory != NULL;
    if (!all)
      g_test_skip (factories);
  }
  va_end (args);
  return all;
}

void
half_init (int *argc, char ***argv)
{
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  folder = g_dir_make_tmp ("gst-ice-elements-XXXXXX", NULL);
}

int
half_run (void)
{
  const int status = g_test_run ();

  /* Nothing is left behind. */
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
  return status;
}
