/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One measurement of one variant over loopback; prints one line of JSON.
 * media.py runs many of them in turn, for only what was measured side by side
 * can be compared. */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media.h"

static const Variant *const variants[] = {
  &variant_ice,
  &variant_udp,
  &variant_raw,
#ifdef HAVE_NICE
  &variant_nice,
#endif
};

typedef struct
{
  const Variant *variant;
  const Settings *settings;
  Shared *shared;
  Wire wire;
  GstPad *pad; /* (owned) */
} End;

static gdouble
process_cpu (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
      (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Sending */

static GstPad *
link_to_sink (GstElement *element)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (element, "sink");
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("application/x-rtp", "media",
      G_TYPE_STRING, "video", "encoding-name", G_TYPE_STRING, "VP8", "payload",
      G_TYPE_INT, 96, "clock-rate", G_TYPE_INT, 90000, NULL);
  GstPad *pad = gst_pad_new ("src", GST_PAD_SRC);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (gst_pad_link (pad, sink) != GST_PAD_LINK_OK)
    g_error ("no link");
  gst_pad_set_active (pad, TRUE);
  gst_pad_push_event (pad, gst_event_new_stream_start ("bench"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  return pad;
}

/* As a payloader does it: a buffer for each packet. */
static GstBuffer *
make_packet (GstBuffer *origin, const Settings *settings)
{
  GstBuffer *buffer;
  GstMapInfo map;

  if (settings->rate == 0)
    return gst_buffer_copy (origin);
  buffer = gst_buffer_new_allocate (NULL, settings->size, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memset (map.data, 0, map.size);
  flow_stamp (map.data);
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static void
push (GstPad *pad, GstBuffer *origin, const Settings *settings)
{
  GstBufferList *list;
  GstFlowReturn result;

  if (settings->list == 1) {
    result = gst_pad_push (pad, make_packet (origin, settings));
  } else {
    list = gst_buffer_list_new_sized (settings->list);
    for (gint i = 0; i < settings->list; i++)
      gst_buffer_list_add (list, make_packet (origin, settings));
    result = gst_pad_push_list (pad, list);
  }
  if (result != GST_FLOW_OK)
    g_error ("push: %s", gst_flow_get_name (result));
}

static void
send_by_element (End *self)
{
  const Settings *settings = self->settings;
  GstElement *element = self->variant->connect (&self->wire, TRUE);
  GstPad *pad = link_to_sink (element);
  g_autoptr (GstBuffer) origin =
      gst_buffer_new_allocate (NULL, settings->size, NULL);
  gint64 start;
  gdouble cpu;

  gst_buffer_memset (origin, 0, 0x80, settings->size);
  g_free (wire_receive (&self->wire));
  cpu = process_cpu ();
  start = flow_now_ns ();
  for (gint i = 0; i < settings->packets; i += settings->list) {
    flow_wait (settings, self->shared, i + settings->list);
    if (settings->rate > 0)
      flow_pace (settings, i, start);
    push (pad, origin, settings);
  }
  self->shared->send_cpu = process_cpu () - cpu;
  g_atomic_int_set (&self->shared->done, TRUE);
}

static gpointer
run_sender (gpointer data)
{
  End *self = data;
  gdouble cpu = process_cpu ();

  if (self->variant->send) {
    self->variant->send (&self->wire, self->settings, self->shared);
    self->shared->send_cpu = process_cpu () - cpu;
    g_atomic_int_set (&self->shared->done, TRUE);
  } else {
    send_by_element (self);
  }
  return NULL;
}

/* Receiving */

static void
count (End *self, GstBuffer *first, gint n)
{
  guint8 stamp[8];

  gst_buffer_extract (first, 0, stamp, sizeof stamp);
  flow_received (self->settings, self->shared, n, stamp);
}

static GstFlowReturn
on_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  count (gst_pad_get_element_private (pad), buffer, 1);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstFlowReturn
on_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  count (gst_pad_get_element_private (pad), gst_buffer_list_get (list, 0),
      (gint) gst_buffer_list_length (list));
  gst_buffer_list_unref (list);
  return GST_FLOW_OK;
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

static void
receive_by_element (End *self)
{
  GstElement *element = self->variant->connect (&self->wire, FALSE);
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
  gint patience = 500;
  gdouble cpu;

  self->pad = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_element_private (self->pad, self);
  gst_pad_set_chain_function (self->pad, on_buffer);
  gst_pad_set_chain_list_function (self->pad, on_list);
  gst_pad_set_event_function (self->pad, on_event);
  if (gst_pad_link (src, self->pad) != GST_PAD_LINK_OK)
    g_error ("no link");
  gst_pad_set_active (self->pad, TRUE);
  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_element_get_state (element, NULL, NULL, GST_SECOND);
  g_atomic_int_set (&self->shared->port, self->wire.port);
  wire_send (&self->wire, "go");
  cpu = process_cpu ();
  while (self->shared->last_us == 0 && patience > 0) {
    g_usleep (2000);
    /* Under a flood the last may never come. */
    if (g_atomic_int_get (&self->shared->done) && self->settings->flood > 0)
      patience--;
  }
  self->shared->receive_cpu = process_cpu () - cpu;
}

static void
run_receiver (End *self)
{
  gdouble cpu = process_cpu ();

  if (self->variant->receive) {
    self->variant->receive (&self->wire, self->settings, self->shared);
    self->shared->receive_cpu = process_cpu () - cpu;
  } else {
    receive_by_element (self);
  }
}

/* Both */

static gint
compare_latencies (gconstpointer a, gconstpointer b)
{
  guint x = *(const guint *) a, y = *(const guint *) b;

  return (x > y) - (x < y);
}

static void
report (const Settings *settings, Shared *shared)
{
  gdouble n = settings->packets;
  gdouble seconds = (shared->last_us - shared->first_us) / 1e6;

  if (settings->flood > 0) {
    g_print ("{\"lost\":%d,\"flood_pps\":%.0f,",
        settings->packets - g_atomic_int_get (&shared->received),
        g_atomic_int_get (&shared->n_flood) * 1e6 / shared->flood_us);
  } else {
    g_print ("{");
  }

  g_print ("\"variant\":\"%s\",\"size\":%d,\"list\":%d,\"processes\":%d,"
           "\"packets\":%d,\"rate\":%d,\"pps\":%.0f,",
      settings->variant, settings->size, settings->list, settings->processes,
      settings->packets, settings->rate, n / seconds);
  if (settings->processes == 2)
    g_print ("\"tx_cpu_us\":%.4f,\"rx_cpu_us\":%.4f,",
        shared->send_cpu * 1e6 / n, shared->receive_cpu * 1e6 / n);
  if (shared->n_latencies > 0) {
    gint last = shared->n_latencies;

    qsort (shared->latencies, last, sizeof (guint), compare_latencies);
    g_print ("\"p50_us\":%.1f,\"p99_us\":%.1f,",
        shared->latencies[last / 2] / 1e3,
        shared->latencies[last * 99 / 100] / 1e3);
  }
  /* In one process each end has counted both. */
  g_print ("\"cpu_us\":%.4f}\n",
      (settings->processes == 2 ? shared->send_cpu + shared->receive_cpu
                                : MAX (shared->send_cpu, shared->receive_cpu)) *
          1e6 / n);
}

static gboolean
measure (const Variant *variant, const Settings *settings)
{
  Shared *shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE,
      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  End sender = { variant, settings, shared, { 0 }, NULL }, receiver = sender;
  GThread *thread;
  gint fds[2], status = 0;
  pid_t child, stranger = -1;

  if (shared == MAP_FAILED || socketpair (AF_UNIX, SOCK_STREAM, 0, fds) < 0)
    return FALSE;
  wire_init (&sender.wire, fds[0]);
  wire_init (&receiver.wire, fds[1]);
  sender.wire.relay = settings->relay;
  receiver.wire.coalesce = (guint) settings->coalesce;
  if (settings->flood > 0) {
    stranger = fork ();
    if (stranger == 0) {
      flood_run (settings, shared);
      _exit (0);
    }
  }
  if (settings->processes == 1) {
    gst_init (NULL, NULL);
    thread = g_thread_new ("sender", run_sender, &sender);
    run_receiver (&receiver);
    g_thread_join (thread);
    report (settings, shared);
    return TRUE;
  }
  child = fork ();
  if (child == 0) {
    close (fds[1]);
    gst_init (NULL, NULL);
    run_sender (&sender);
    _exit (0);
  }
  close (fds[0]);
  gst_init (NULL, NULL);
  run_receiver (&receiver);
  if (child < 0 || waitpid (child, &status, 0) < 0 || status != 0)
    return FALSE;
  if (stranger > 0 && waitpid (stranger, &status, 0) < 0)
    return FALSE;
  report (settings, shared);
  return TRUE;
}

int
main (int argc, char **argv)
{
  Settings settings = { NULL, 1200, 32, 2, 400000, 128, 0, 0, 0, NULL };
  const GOptionEntry entries[] = {
    { "size", 0, 0, G_OPTION_ARG_INT, &settings.size, "bytes", "N" },
    { "list", 0, 0, G_OPTION_ARG_INT, &settings.list, "packets a list", "N" },
    { "processes", 0, 0, G_OPTION_ARG_INT, &settings.processes, "1 or 2", "N" },
    { "packets", 0, 0, G_OPTION_ARG_INT, &settings.packets, "in all", "N" },
    { "window", 0, 0, G_OPTION_ARG_INT, &settings.window, "under way", "N" },
    { "rate", 0, 0, G_OPTION_ARG_INT, &settings.rate, "a second", "N" },
    { "flood", 0, 0, G_OPTION_ARG_INT, &settings.flood,
        "a second, by a stranger; with --rate and two processes", "N" },
    { "coalesce", 0, 0, G_OPTION_ARG_INT, &settings.coalesce,
        "us that icesrc waits for more", "N" },
    { "relay", 0, 0, G_OPTION_ARG_STRING, &settings.relay,
        "the sender's TURN server, user alice, password wonderland",
        "HOST:PORT" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("VARIANT");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) || argc != 2) {
    g_printerr ("bench-media: %s\n", error ? error->message : "which variant?");
    return 2;
  }
  settings.variant = argv[1];
  settings.packets -= settings.packets % settings.list;
  for (guint i = 0; i < G_N_ELEMENTS (variants); i++) {
    if (g_str_equal (variants[i]->name, settings.variant))
      return measure (variants[i], &settings) ? 0 : 1;
  }
  g_printerr ("bench-media: no variant “%s” here\n", settings.variant);
  return 2;
}
