/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the network lets through: a trial for each way, all at the same time, so
 * that the slowest one is what it takes. */

#include "doctor.h"

#include <string.h>

/* Three requests that nobody answers are told after 1.75 s (RFC 8489 6.2.1). */
#define TRIAL_TIMEOUT_MS 3000
/* RFC 5780: silence is one of the answers. */
#define NAT_TIMEOUT_MS 9000

typedef struct _Trials Trials;

typedef struct
{
  Trials *trials;     /* (unowned) */
  const gchar *check; /* static */
  gchar *uri;         /* (owned) (nullable) as it may be shown */
  gboolean needed;    /* the user asked for it: FAILED if it does not work */
  GstIceCandidateKind wanted;
  GstIceAgent *agent;         /* (owned) */
  GstIceStream *stream;       /* (owned) */
  GstIceTransport *transport; /* (owned) */
  gint64 start;
  gboolean done, found;
  gdouble ms;
  gchar *address; /* (owned) (nullable) */
  gchar *error;   /* (owned) (nullable) */
} Trial;

struct _Trials
{
  GstIceDoctor *doctor; /* (unowned) */
  GMainLoop *loop;      /* (owned) */
  GPtrArray *list;      /* (owned) (element-type Trial) */
  guint n_open;
  guint n_calls;       /* asynchronous ones that will call back */
  gboolean ipv4, ipv6; /* addresses that lead further than the link */
  GstStructure *nat;   /* (owned) (nullable) */
  gchar *proxies;      /* (owned) (nullable) */
};

static void
close_one (Trials *self)
{
  if (self->n_open > 0 && --self->n_open == 0)
    g_main_loop_quit (self->loop);
}

static void
trial_end (Trial *self)
{
  if (self->done)
    return;
  self->done = TRUE;
  self->ms = (gdouble) (g_get_monotonic_time () - self->start) / 1000;
  close_one (self->trials);
}

static void
note_family (Trials *self, const gchar *address)
{
  if (!strchr (address, ':'))
    self->ipv4 = TRUE;
  else if (!g_str_has_prefix (address, "fe80"))
    self->ipv6 = TRUE;
}

static void
on_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  Trial *self = user_data;
  const gchar *address = gst_ice_candidate_get_address (candidate);

  if (gst_ice_candidate_get_kind (candidate) == GST_ICE_CANDIDATE_KIND_HOST)
    note_family (self->trials, address);
  if (self->done || gst_ice_candidate_get_kind (candidate) != self->wanted)
    return;
  self->found = TRUE;
  self->address = g_strdup (address);
  trial_end (self);
}

static void
on_error (GstIceAgent *agent, const gchar *url, guint code, const gchar *text,
    gpointer user_data)
{
  Trial *self = user_data;

  if (!self->done)
    self->error = g_strdup (text);
  trial_end (self);
}

/* Without an error: the server answered, and what it said is no news. */
static void
on_end (GstIceAgent *agent, GstIceStream *stream, gpointer user_data)
{
  Trial *self = user_data;

  if (!self->done)
    self->found = self->uri != NULL;
  trial_end (self);
}

static Trial *
trial_new (Trials *trials, const gchar *check, GstIceCandidateKind wanted)
{
  Trial *self = g_new0 (Trial, 1);

  self->trials = trials;
  self->check = check;
  self->wanted = wanted;
  self->agent = g_object_new (GST_TYPE_ICE_AGENT, "main-context",
      g_main_context_default (), "ca-file", trials->doctor->ca_file, NULL);
  self->stream = gst_ice_agent_request_stream (self->agent, "0");
  self->transport = gst_ice_stream_get_transport (self->stream, 1);
  g_ptr_array_add (trials->list, self);
  return self;
}

static void
trial_free (gpointer data)
{
  Trial *self = data;

  g_signal_handlers_disconnect_by_data (self->agent, self);
  g_clear_object (&self->transport);
  g_clear_object (&self->stream);
  gst_ice_tool_close (self->agent);
  g_object_unref (self->agent);
  g_free (self->uri);
  g_free (self->address);
  g_free (self->error);
  g_free (self);
}

static void
trial_begin (Trial *self)
{
  g_signal_connect (
      self->agent, "new-candidate", G_CALLBACK (on_candidate), self);
  g_signal_connect (
      self->agent, "candidate-error", G_CALLBACK (on_error), self);
  g_signal_connect (
      self->agent, "end-of-candidates", G_CALLBACK (on_end), self);
  self->trials->n_open++;
  self->start = g_get_monotonic_time ();
  gst_ice_agent_gather (self->agent);
}

/* Servers */

static gboolean
try_server (Trials *trials, const gchar *check, const gchar *uri,
    GstIceCandidateKind wanted, gboolean needed)
{
  Trial *self = trial_new (trials, check, wanted);
  g_autoptr (GError) error = NULL;

  if (!gst_ice_agent_add_server (self->agent, uri, &error)) {
    g_printerr ("doctor: %s\n", error->message);
    return FALSE;
  }
  g_object_get (self->agent, "servers", &self->uri, NULL);
  if (wanted == GST_ICE_CANDIDATE_KIND_RELAYED)
    g_object_set (self->agent, "policy", GST_ICE_POLICY_RELAY, NULL);
  self->needed = needed;
  trial_begin (self);
  return TRUE;
}

/* -s HOST is as good as -s stun:HOST. */
static gchar *
with_scheme (const gchar *server, const gchar *scheme)
{
  const gsize length = strlen (scheme);

  if (g_str_has_prefix (server, scheme) &&
      (server[length] == ':' || g_str_has_prefix (server + length, "s:")))
    return g_strdup (server);
  return g_strconcat (scheme, ":", server, NULL);
}

/* The same server by TCP, for networks without UDP; whether the operator
 * offers it is another matter. */
static gboolean
try_turn (Trials *self, const gchar *server)
{
  g_autofree gchar *uri = with_scheme (server, "turn");
  g_autofree gchar *tcp = NULL;

  if (!try_server (self, "turn", uri, GST_ICE_CANDIDATE_KIND_RELAYED, TRUE))
    return FALSE;
  if (g_str_has_prefix (uri, "turns:") || strstr (uri, "?transport="))
    return TRUE;
  tcp = g_strconcat (uri, "?transport=tcp", NULL);
  return try_server (
      self, "turn by TCP", tcp, GST_ICE_CANDIDATE_KIND_RELAYED, FALSE);
}

static void
on_nat (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Trials *self = user_data;

  self->nat = gst_ice_discover_nat_finish (result, NULL);
  self->n_calls--;
  close_one (self);
}

static gboolean
try_servers (Trials *self, GCancellable *cancellable)
{
  const GstIceDoctor *doctor = self->doctor;

  for (guint i = 0; doctor->stun && doctor->stun[i]; i++) {
    g_autofree gchar *uri = with_scheme (doctor->stun[i], "stun");

    if (!try_server (
            self, "stun", uri, GST_ICE_CANDIDATE_KIND_SERVER_REFLEXIVE, TRUE))
      return FALSE;
  }
  for (guint i = 0; doctor->turn && doctor->turn[i]; i++) {
    if (!try_turn (self, doctor->turn[i]))
      return FALSE;
  }
  if (doctor->stun && doctor->stun[0] && !doctor->quick) {
    self->n_open++;
    self->n_calls++;
    gst_ice_discover_nat_async (doctor->stun[0], 0, cancellable, on_nat, self);
  }
  return TRUE;
}

/* The link and the router */

static void
on_named_candidate (GstIceAgent *agent, GstIceStream *stream,
    GstIceCandidate *candidate, gpointer user_data)
{
  g_autofree gchar *line = gst_ice_candidate_to_sdp (candidate);

  gst_ice_agent_add_remote_candidate (user_data, "0", line, NULL);
}

static void
on_named_connected (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Trial *self = user_data;

  self->trials->n_calls--;
  if (!gst_ice_transport_connect_finish (
          GST_ICE_TRANSPORT (object), result, NULL) ||
      self->done)
    return;
  self->found = TRUE;
  trial_end (self);
}

static void
introduce (Trial *from, Trial *to)
{
  g_autofree gchar *ufrag = NULL, *pwd = NULL;

  gst_ice_stream_get_local_credentials (from->stream, &ufrag, &pwd);
  gst_ice_stream_set_remote_credentials (to->stream, ufrag, pwd);
  g_signal_connect_object (from->agent, "new-candidate",
      G_CALLBACK (on_named_candidate), to->agent, 0);
  g_object_set (from->agent, "mdns", GST_ICE_MDNS_PUBLISH, NULL);
}

/* Two that know nothing of each other but names. */
static void
try_mdns (Trials *trials, GCancellable *cancellable)
{
  Trial *self = trial_new (trials, "mdns", GST_ICE_CANDIDATE_KIND_HOST);
  Trial *other = trial_new (trials, NULL, GST_ICE_CANDIDATE_KIND_HOST);

  g_object_set (self->agent, "controlling", TRUE, NULL);
  introduce (self, other);
  introduce (other, self);
  trials->n_open++;
  self->start = g_get_monotonic_time ();
  trials->n_calls++;
  gst_ice_transport_connect_async (
      self->transport, cancellable, on_named_connected, self);
  gst_ice_agent_gather (self->agent);
  gst_ice_agent_gather (other->agent);
}

static void
try_port_mapping (Trials *trials)
{
  Trial *self = trial_new (
      trials, "port mapping", GST_ICE_CANDIDATE_KIND_SERVER_REFLEXIVE);

  g_object_set (self->agent, "port-mapping", GST_ICE_PORT_MAPPING_ON, NULL);
  trial_begin (self);
}

/* Their URIs may hold a password. */
static gchar *
describe_proxies (gchar **proxies)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; proxies[i]; i++) {
    g_autoptr (GUri) uri = g_uri_parse (proxies[i], G_URI_FLAGS_NONE, NULL);
    g_autofree gchar *shown = uri
        ? g_uri_to_string_partial (uri, G_URI_HIDE_USERINFO)
        : g_strdup ("(not a URI)");

    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", shown);
  }
  return g_string_free (text, FALSE);
}

static void
on_proxies (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  Trials *self = user_data;
  g_auto (GStrv) proxies = g_proxy_resolver_lookup_finish (
      G_PROXY_RESOLVER (resolver), result, NULL);

  if (proxies)
    self->proxies = describe_proxies (proxies);
  self->n_calls--;
  close_one (self);
}

static void
try_proxies (Trials *self, GCancellable *cancellable)
{
  self->n_open++;
  self->n_calls++;
  g_proxy_resolver_lookup_async (g_proxy_resolver_get_default (),
      "https://turn.example.org:443", cancellable, on_proxies, self);
}

/* What came of it */

static void
tell_families (Trials *self)
{
  if (self->ipv4 && self->ipv6)
    gst_ice_doctor_find (
        self->doctor, GST_ICE_FINDING_OK, "addresses", NULL, "IPv4 and IPv6");
  else if (self->ipv4 || self->ipv6)
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_NOTE, "addresses",
        self->ipv4 ? NULL : "peers with IPv4 alone need a TURN server or NAT64",
        "%s alone", self->ipv4 ? "IPv4" : "IPv6");
  else
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_FAILED, "addresses",
        "connect a network; containers want --network=host or an address of "
        "their own",
        "no address that a peer could reach");
}

static void
tell_server (const Trial *self)
{
  GstIceDoctor *doctor = self->trials->doctor;

  if (self->found)
    gst_ice_doctor_find (doctor, GST_ICE_FINDING_OK, self->check, NULL,
        "%s answered in %.0f ms%s%s", self->uri, self->ms,
        self->address ? ": " : "; there is no NAT on the way",
        self->address ? self->address : "");
  else
    gst_ice_doctor_find (doctor,
        self->needed ? GST_ICE_FINDING_FAILED : GST_ICE_FINDING_NOTE,
        self->check,
        self->needed
            ? NULL
            : "a server that also listens there serves those without UDP",
        "%s", self->error ? self->error : self->uri);
}

static void
tell_link (const Trial *self)
{
  GstIceDoctor *doctor = self->trials->doctor;

  if (g_str_equal (self->check, "mdns")) {
    if (self->found)
      gst_ice_doctor_find (doctor, GST_ICE_FINDING_OK, self->check, NULL,
          "names of candidates are found in %.0f ms", self->ms);
    else
      gst_ice_doctor_find (doctor, GST_ICE_FINDING_WARNING, self->check,
          "let UDP port 5353 to 224.0.0.251 and ff02::fb through the firewall "
          "of this host, or give a TURN server for calls with browsers",
          "names of candidates are not found here");
  } else if (self->found && self->address) {
    gst_ice_doctor_find (doctor, GST_ICE_FINDING_OK, self->check, NULL,
        "the router gives ports of %s (port-mapping=on)", self->address);
  } else {
    gst_ice_doctor_find (doctor, GST_ICE_FINDING_NOTE, self->check, NULL,
        "no router here gives ports (PCP, NAT-PMP, UPnP IGD)");
  }
}

static gboolean
is_true (const GstStructure *structure, const gchar *field)
{
  gboolean value;

  return gst_structure_get_boolean (structure, field, &value) && value;
}

static void
tell_nat (const Trials *self)
{
  const gchar *mapping =
      self->nat ? gst_structure_get_string (self->nat, "mapping") : NULL;
  const gchar *filtering =
      self->nat ? gst_structure_get_string (self->nat, "filtering") : NULL;

  if (!self->nat)
    return;
  if (!mapping)
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_NOTE, "nat",
        "ask a server of RFC 5780, with “gst-ice-1.0 nat”",
        "%s; the server cannot show of which kind",
        is_true (self->nat, "nat") ? "yes" : "none");
  else if (!is_true (self->nat, "nat"))
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_OK, "nat", NULL, "none");
  else if (g_str_equal (mapping, "endpoint-independent"))
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_OK, "nat", NULL,
        "mapping %s, filtering %s: direct calls are likely", mapping,
        filtering ? filtering : "not known");
  else
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_WARNING, "nat",
        "have a TURN server",
        "mapping %s: a relay is needed unless the peer has no NAT or an open "
        "one",
        mapping);
}

/* What several trials say together. */
static void
tell_firewall (const Trials *self)
{
  guint n_udp = 0, n_udp_found = 0, n_tcp_found = 0;

  for (guint i = 0; i < self->list->len; i++) {
    const Trial *trial = self->list->pdata[i];

    if (!trial->uri)
      continue;
    if (strstr (trial->uri, "transport=tcp") ||
        g_str_has_prefix (trial->uri, "turns:")) {
      n_tcp_found += trial->found;
    } else {
      n_udp++;
      n_udp_found += trial->found;
    }
  }
  if (n_udp == 0) {
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_NOTE, "firewall",
        "give a server: -s stun:HOST or -t turn:USER:PASSWORD@HOST",
        "whether UDP gets out was not tried");
  } else if (n_udp_found > 0) {
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_OK, "firewall", NULL,
        "UDP gets out and back");
  } else if (n_tcp_found > 0) {
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_WARNING, "firewall",
        "open UDP 3478 and 49152 to 65535 outwards, or use "
        "turn:...?transport=tcp",
        "UDP is blocked, TCP gets out");
  } else {
    gst_ice_doctor_find (self->doctor, GST_ICE_FINDING_FAILED, "firewall",
        "check that the network reaches the servers at all (ping), then their "
        "ports; behind a proxy use turns: on port 443",
        "no server can be reached");
  }
}

static void
tell (Trials *self)
{
  GstIceDoctor *doctor = self->doctor;

  tell_families (self);
  for (guint i = 0; i < self->list->len; i++) {
    const Trial *trial = self->list->pdata[i];

    if (trial->uri)
      tell_server (trial);
  }
  tell_firewall (self);
  tell_nat (self);
  for (guint i = 0; i < self->list->len; i++) {
    const Trial *trial = self->list->pdata[i];

    if (trial->check && !trial->uri)
      tell_link (trial);
  }
  if (self->proxies && !g_str_equal (self->proxies, "direct://"))
    gst_ice_doctor_find (doctor, GST_ICE_FINDING_NOTE, "proxy",
        "TURN over TCP and TLS goes through it", "%s", self->proxies);
  else
    gst_ice_doctor_find (
        doctor, GST_ICE_FINDING_OK, "proxy", NULL, "none is set");
}

static gboolean
on_timeout (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

gboolean
gst_ice_doctor_look_at_network (GstIceDoctor *doctor)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Trials self = { .doctor = doctor,
    .loop = g_main_loop_new (NULL, FALSE),
    .list = g_ptr_array_new_with_free_func (trial_free),
    .n_open = 1 };
  gboolean wait_for_nat = doctor->stun && !doctor->quick, ok;

  try_port_mapping (&self);
  try_mdns (&self, cancellable);
  try_proxies (&self, cancellable);
  ok = try_servers (&self, cancellable);
  if (ok) {
    const guint timeout =
        g_timeout_add (wait_for_nat ? NAT_TIMEOUT_MS : TRIAL_TIMEOUT_MS,
            on_timeout, self.loop);

    self.n_open--;
    g_main_loop_run (self.loop);
    if (self.n_open == 0)
      g_source_remove (timeout);
    tell (&self);
  }
  /* What is still asked comes back before what it would write to is gone. */
  g_cancellable_cancel (cancellable);
  while (self.n_calls > 0)
    g_main_context_iteration (NULL, TRUE);
  g_ptr_array_unref (self.list);
  g_clear_pointer (&self.nat, gst_structure_free);
  g_free (self.proxies);
  g_main_loop_unref (self.loop);
  return ok;
}
