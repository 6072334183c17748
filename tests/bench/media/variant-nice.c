/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nicesink to nicesrc, of libnice. */

#include <stdlib.h>

#include <nice/agent.h>

#include "media.h"

typedef struct
{
  NiceAgent *agent;
  guint stream;
  gint gathered, ready; /* (atomic) */
} Nice;

static gpointer
run (gpointer context)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);

  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);
  return NULL;
}

static void
on_gathered (NiceAgent *agent, guint stream, Nice *self)
{
  g_atomic_int_set (&self->gathered, TRUE);
}

static void
on_state (
    NiceAgent *agent, guint stream, guint component, guint state, Nice *self)
{
  if (state == NICE_COMPONENT_STATE_READY)
    g_atomic_int_set (&self->ready, TRUE);
}

/* Without anybody to take packets libnice does not read at all. */
static void
on_received (NiceAgent *agent, guint stream, guint component, guint size,
    gchar *data, gpointer user_data)
{
}

static void
say (Wire *wire, Nice *self)
{
  g_autofree gchar *ufrag = NULL, *pwd = NULL;
  GSList *candidates =
      nice_agent_get_local_candidates (self->agent, self->stream, 1);

  nice_agent_get_local_credentials (self->agent, self->stream, &ufrag, &pwd);
  wire_send (wire, "%s", ufrag);
  wire_send (wire, "%s", pwd);
  for (GSList *l = candidates; l; l = l->next) {
    const NiceCandidate *candidate = l->data;
    g_autofree gchar *line =
        nice_agent_generate_local_candidate_sdp (self->agent, l->data);

    wire->port = (gint) nice_address_get_port (&candidate->addr);
    wire_send (wire, "%s", line);
  }
  wire_send (wire, "end");
  g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
}

static void
hear (Wire *wire, Nice *self)
{
  g_autofree gchar *ufrag = wire_receive (wire), *pwd = wire_receive (wire);
  GSList *candidates = NULL;
  gboolean more = TRUE;

  nice_agent_set_remote_credentials (self->agent, self->stream, ufrag, pwd);
  while (more) {
    g_autofree gchar *line = wire_receive (wire);

    more = !g_str_equal (line, "end");
    if (more)
      candidates = g_slist_append (candidates,
          nice_agent_parse_remote_candidate_sdp (
              self->agent, self->stream, line));
  }
  nice_agent_set_remote_candidates (self->agent, self->stream, 1, candidates);
  g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
}

static void
use_relay (Nice *self, const gchar *relay)
{
  g_auto (GStrv) parts = g_strsplit (relay, ":", 2);

  g_object_set (self->agent, "force-relay", TRUE, NULL);
  nice_agent_set_relay_info (self->agent, self->stream, 1, parts[0],
      (guint) atoi (parts[1]), "alice", "wonderland", NICE_RELAY_TYPE_TURN_UDP);
}

static GstElement *
nice_connect (Wire *wire, gboolean sender)
{
  GMainContext *context = g_main_context_new ();
  Nice *self = g_new0 (Nice, 1);
  GstElement *element =
      gst_element_factory_make (sender ? "nicesink" : "nicesrc", NULL);
  NiceAddress address;

  if (!element)
    g_error ("no nicesink: apt-get install gstreamer1.0-nice");
  nice_address_init (&address);
  nice_address_set_from_string (&address, "127.0.0.1");
  self->agent = nice_agent_new (context, NICE_COMPATIBILITY_RFC5245);
  g_object_set (self->agent, "controlling-mode", sender, "upnp", FALSE,
      "ice-tcp", FALSE, NULL);
  nice_agent_add_local_address (self->agent, &address);
  self->stream = nice_agent_add_stream (self->agent, 1);
  g_signal_connect (
      self->agent, "candidate-gathering-done", G_CALLBACK (on_gathered), self);
  g_signal_connect (
      self->agent, "component-state-changed", G_CALLBACK (on_state), self);
  g_object_set (element, "agent", self->agent, "stream", self->stream,
      "component", 1, NULL);
  if (sender)
    g_object_set (element, "sync", FALSE, "async", FALSE, NULL);
  /* nicesrc has a context of its own for what it receives; without it nothing
   * would be read before it runs. */
  nice_agent_attach_recv (
      self->agent, self->stream, 1, context, on_received, NULL);
  g_thread_unref (g_thread_new ("nice", run, context));
  if (wire->relay)
    use_relay (self, wire->relay);
  gst_element_set_state (element, sender ? GST_STATE_PLAYING : GST_STATE_READY);
  nice_agent_gather_candidates (self->agent, self->stream);
  while (!g_atomic_int_get (&self->gathered))
    g_usleep (1000);
  say (wire, self);
  hear (wire, self);
  /* nicesrc reads when it runs only. */
  if (!sender)
    return element;
  while (!g_atomic_int_get (&self->ready))
    g_usleep (1000);
  return element;
}

const Variant variant_nice = { .name = "nice", .connect = nice_connect };
