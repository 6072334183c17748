/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NiceAgents, all in one main context with a thread of its own. */

#include <gst/gst.h>
#include <nice/agent.h>

#include "scale.h"

typedef struct
{
  ScaleTally *tally;
  NiceAgent *agent; /* (owned) */
  guint stream;
  gboolean connected; /* as it was told last */
} End;

static End *ends;

static gpointer
run (gpointer context)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);

  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);
  return NULL;
}

static void
on_gathered (NiceAgent *agent, guint stream, End *self)
{
  g_atomic_int_inc (&self->tally->gathered);
}

static void
on_state (
    NiceAgent *agent, guint stream, guint component, guint state, End *self)
{
  gboolean connected = state == NICE_COMPONENT_STATE_CONNECTED ||
      state == NICE_COMPONENT_STATE_READY;

  if (connected && !self->connected)
    g_atomic_int_inc (&self->tally->connected);
  /* It goes back to connecting for what comes after, and is none the worse. */
  if (state == NICE_COMPONENT_STATE_FAILED)
    g_atomic_int_inc (&self->tally->lost);
  self->connected |= connected;
}

/* Without anybody to take packets libnice does not read at all. */
static void
on_received (NiceAgent *agent, guint stream, guint component, guint size,
    gchar *data, gpointer user_data)
{
}

static void
add_pipeline (const End *self)
{
  GstElement *source = gst_element_factory_make ("nicesrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstElement *pipeline = gst_pipeline_new (NULL);

  if (!source || !sink)
    g_error ("no nicesrc: apt-get install gstreamer1.0-nice");
  g_object_set (source, "agent", self->agent, "stream", self->stream,
      "component", 1, NULL);
  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, sink, NULL);
  gst_element_link (source, sink);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
}

static void
nice_make (const ScaleSettings *settings, ScaleTally *tally)
{
  GMainContext *context = g_main_context_new ();
  NiceAddress address;

  nice_address_init (&address);
  nice_address_set_from_string (&address, "127.0.0.1");
  ends = g_new0 (End, 2 * settings->pairs);
  for (gint i = 0; i < 2 * settings->pairs; i++) {
    End *self = &ends[i];

    self->tally = tally;
    self->agent = nice_agent_new_full (context, NICE_COMPATIBILITY_RFC5245,
        NICE_AGENT_OPTION_CONSENT_FRESHNESS);
    g_object_set (self->agent, "controlling-mode", i % 2 == 0, "upnp", FALSE,
        "ice-tcp", FALSE, NULL);
    nice_agent_add_local_address (self->agent, &address);
    self->stream = nice_agent_add_stream (self->agent, 1);
    g_signal_connect (self->agent, "candidate-gathering-done",
        G_CALLBACK (on_gathered), self);
    g_signal_connect (
        self->agent, "component-state-changed", G_CALLBACK (on_state), self);
    if (settings->elements)
      add_pipeline (self);
    else
      nice_agent_attach_recv (
          self->agent, self->stream, 1, context, on_received, NULL);
  }
  g_thread_unref (g_thread_new ("nice", run, context));
  for (gint i = 0; i < 2 * settings->pairs; i++)
    nice_agent_gather_candidates (ends[i].agent, ends[i].stream);
}

static void
introduce (End *self, End *other)
{
  GSList *candidates =
      nice_agent_get_local_candidates (other->agent, other->stream, 1);
  g_autofree gchar *ufrag = NULL, *pwd = NULL;

  nice_agent_get_local_credentials (other->agent, other->stream, &ufrag, &pwd);
  nice_agent_set_remote_credentials (self->agent, self->stream, ufrag, pwd);
  nice_agent_set_remote_candidates (self->agent, self->stream, 1, candidates);
  g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
}

static void
nice_join (const ScaleSettings *settings)
{
  for (gint i = 0; i < 2 * settings->pairs; i++)
    introduce (&ends[i], &ends[i ^ 1]);
}

const ScaleVariant scale_nice = { .name = "nice",
  .make = nice_make,
  .join = nice_join };
