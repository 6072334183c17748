/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Candidates with names in place of addresses, the peer's and ours
 * (draft-ietf-mmusic-mdns-ice-candidates). */
#include "gst/ice/core/ice/pair.h"
#include "harness.h"

#define NAME "1f4712db-ea17-4bcf-a596-105139dfd8bf.local"
#define NAME_LINE "candidate:1 1 udp 2122262783 " NAME " 54596 typ host"
#define PEER_IP "192.0.2.2"

/* What was said of names. */
typedef struct
{
  guint n_resolves, n_published, n_withdrawn, request;
  gboolean mdns;
  gchar asked[80], published[80], withdrawn[80];
  IceAddress address;
  guint interface_index;
  GPtrArray *told;               /* (owned) candidate lines */
  IceCandidate *selected_remote; /* (owned) (nullable) */
} Names;

static void
names_watch (gpointer user, const IceOutput *output)
{
  Names *self = user;

  switch (output->type) {
    case ICE_OUTPUT_RESOLVE:
      self->n_resolves++;
      self->request = output->resolve.request;
      self->mdns = output->resolve.mdns;
      g_strlcpy (self->asked, output->resolve.host, sizeof self->asked);
      break;
    case ICE_OUTPUT_PUBLISH:
      self->n_published++;
      self->address = output->publish.address;
      self->interface_index = output->publish.interface_index;
      g_strlcpy (self->published, output->publish.name, sizeof self->published);
      break;
    case ICE_OUTPUT_WITHDRAW:
      self->n_withdrawn++;
      g_strlcpy (
          self->withdrawn, output->withdraw.name, sizeof self->withdrawn);
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
    case ICE_OUTPUT_REMOTE_CANDIDATE:
      g_ptr_array_add (
          self->told, ice_candidate_to_sdp (output->candidate.candidate));
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      g_clear_pointer (&self->selected_remote, ice_candidate_unref);
      self->selected_remote = ice_candidate_ref (output->pair_selected.remote);
      break;
    default:
      break;
  }
}

static void
start (Harness *h, Names *names)
{
  *names = (Names){ .told = g_ptr_array_new_with_free_func (g_free) };
  harness_init (h, TRUE);
  h->watch = names_watch;
  h->watch_user = names;
}

static void
stop (Harness *h, Names *names)
{
  harness_clear (h);
  g_ptr_array_unref (names->told);
  g_clear_pointer (&names->selected_remote, ice_candidate_unref);
}

static IceVerdict
add_line (Harness *h, const gchar *line)
{
  g_autoptr (IceCandidate) candidate = NULL;
  IceVerdict verdict;

  g_assert_cmpint (
      ice_candidate_parse (line, &candidate, NULL), ==, ICE_CANDIDATE_PARSE_OK);
  verdict =
      ice_core_add_remote_candidate (h->core, h->stream, candidate, h->now);
  harness_pump (h);
  return verdict;
}

static void
resolved (Harness *h, guint request, const gchar *ip)
{
  IceAddress address = ip ? addr (ip, 1) : ICE_ADDRESS_NONE;

  ice_core_resolved (h->core, request, &address, ip ? 1 : 0, h->now);
  harness_pump (h);
}

static guint
count_remotes (Harness *h)
{
  g_autoptr (GPtrArray) remotes =
      ice_core_get_remote_candidates (h->core, h->stream);

  return remotes->len;
}

/* 3.2.1: asked for, and then a candidate as others are, which still shows its
 * name only. */
static void
test_resolved (void)
{
  const IceAddress there = addr (PEER_IP, 54596);
  g_autofree gchar *line = NULL;
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  g_assert_cmpint (add_line (&h, NAME_LINE), ==, ICE_VERDICT_OK);
  g_assert_cmpuint (names.n_resolves, ==, 1);
  g_assert_true (names.mdns);
  g_assert_cmpstr (names.asked, ==, NAME);
  g_assert_cmpuint (count_remotes (&h), ==, 0);
  g_assert_true (g_queue_is_empty (&h.sent));

  resolved (&h, names.request, PEER_IP);
  g_assert_cmpuint (count_remotes (&h), ==, 1);
  harness_run_for (&h, 5 * ICE_MSEC);
  g_assert_true (ice_address_equal (
      &((const Sent *) g_queue_peek_head (&h.sent))->to, &there));
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  line = ice_candidate_to_sdp (names.selected_remote);
  g_assert_nonnull (strstr (line, NAME " 54596"));
  g_assert_null (strstr (line, PEER_IP));
  stop (&h, &names);
}

/* Before the peer's credentials are known, too. */
static void
test_early (void)
{
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  add_line (&h, NAME_LINE);
  resolved (&h, names.request, PEER_IP);
  harness_credentials (&h);
  harness_run_for (&h, 5 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  stop (&h, &names);
}

/* Firefox has a name for each address, and a candidate for each component and
 * protocol with it. */
static void
test_asked_once (void)
{
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  add_line (&h, NAME_LINE);
  add_line (&h,
      "candidate:1 1 udp 2122262782 1F4712DB-ea17-4bcf-a596-"
      "105139dfd8bf.local 54597 typ host");
  g_assert_cmpuint (names.n_resolves, ==, 1);
  resolved (&h, names.request, PEER_IP);
  g_assert_cmpuint (count_remotes (&h), ==, 2);
  add_line (&h, "candidate:1 1 udp 2122262781 " NAME " 54598 typ host");
  g_assert_cmpuint (names.n_resolves, ==, 1);
  g_assert_cmpuint (count_remotes (&h), ==, 3);
  stop (&h, &names);
}

/* 3.2.2: none, or more than one, and it is ignored. */
static void
test_not_one_address (void)
{
  const IceAddress two[] = { addr (PEER_IP, 1), addr ("192.0.2.3", 1) };
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  add_line (&h, NAME_LINE);
  resolved (&h, names.request, NULL);
  g_assert_cmpuint (count_remotes (&h), ==, 0);
  add_line (&h, NAME_LINE);
  g_assert_cmpuint (names.n_resolves, ==, 2);
  ice_core_resolved (h.core, names.request, two, 2, h.now);
  g_assert_cmpuint (count_remotes (&h), ==, 0);
  /* The same answer again means nothing. */
  ice_core_resolved (h.core, names.request, two, 1, h.now);
  g_assert_cmpuint (count_remotes (&h), ==, 0);
  /* Nor are addresses that nobody may be sent to. */
  add_line (&h, NAME_LINE);
  resolved (&h, names.request, "224.0.0.1");
  g_assert_cmpuint (count_remotes (&h), ==, 0);
  stop (&h, &names);
}

/* RFC 8838 13: the end comes when the last name is known, not before. */
static void
test_end_waits (void)
{
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  add_line (&h, NAME_LINE);
  ice_core_end_remote_candidates (h.core, h.stream, h.now);
  harness_pump (&h);
  g_assert_cmpint (add_line (&h, "candidate:2 1 udp 1 192.0.2.9 9 typ host"),
      ==, ICE_VERDICT_UNEXPECTED);
  resolved (&h, names.request, PEER_IP);
  g_assert_cmpuint (count_remotes (&h), ==, 1);
  harness_run_for (&h, 5 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  stop (&h, &names);
}

/* RFC 8445 9: what was asked for in the generation before is of no use. */
static void
test_restart (void)
{
  guint request;
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  add_line (&h, NAME_LINE " ufrag " PEER_UFRAG);
  request = names.request;
  ice_core_restart (h.core, h.stream, h.now);
  harness_pump (&h);
  resolved (&h, request, PEER_IP);
  g_assert_cmpuint (count_remotes (&h), ==, 0);
  stop (&h, &names);
}

/* The draft, 6.1: a peer cannot have us ask for any number of names. */
static void
test_bounded (void)
{
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  for (guint i = 0; i < 1000; i++) {
    g_autofree gchar *line = g_strdup_printf (
        "candidate:1 1 udp 2122262783 n%u.local 54596 typ host", i);

    add_line (&h, line);
    if (i % 2)
      resolved (&h, names.request, NULL);
  }
  g_assert_cmpuint (names.n_resolves, ==, 32);
  /* And of one that is being asked for no more than can be of use. */
  add_line (&h, NAME_LINE);
  for (guint i = 0; i < 1000; i++) {
    g_autofree gchar *line = g_strdup_printf (
        "candidate:1 1 udp 2122262783 n30.local %u typ host", 1000 + i);

    add_line (&h, line);
  }
  g_assert_cmpuint (names.n_resolves, ==, 32);
  resolved (&h, names.request, PEER_IP);
  g_assert_cmpuint (count_remotes (&h), <=, 100);
  stop (&h, &names);
}

/* Design 5: policy=relay, not one packet elsewhere. */
static void
test_relay_only (void)
{
  const IceGathererConfig config = { .relay_only = TRUE };
  Names names;
  Harness h;

  start (&h, &names);
  ice_core_set_gather_config (h.core, &config);
  harness_gather (&h);
  harness_credentials (&h);
  g_assert_cmpint (add_line (&h, NAME_LINE), ==, ICE_VERDICT_REFUSED);
  g_assert_cmpuint (names.n_resolves, ==, 0);
  stop (&h, &names);
}

/* 3.3.2: "the ICE agent MUST NOT form candidate pairs between its own relay
 * candidates and remote mDNS candidates". */
static void
test_no_relayed_pair (void)
{
  g_autoptr (IceCandidate) relayed =
      ice_candidate_new (ICE_CANDIDATE_RELAYED, 1);
  g_autoptr (IceCandidate) host = ice_candidate_new (ICE_CANDIDATE_HOST, 1);
  g_autoptr (IceCandidate) named = ice_candidate_new (ICE_CANDIDATE_HOST, 1);

  relayed->address = relayed->base = addr ("198.51.100.1", 5);
  host->address = host->base = addr (HOST_IP, 5);
  named->address = addr (PEER_IP, 5);
  g_assert_true (ice_pair_is_possible (relayed, named));
  named->host_name = g_strdup (NAME);
  g_assert_false (ice_pair_is_possible (relayed, named));
  g_assert_true (ice_pair_is_possible (host, named));
}

/* 3.3.1 and 5.3: its check comes before the answer to the name. The address is
 * not told then, nor afterwards. */
static void
test_peer_reflexive (void)
{
  const IceAddress there = addr (PEER_IP, 54596);
  Check check = { .controlled = TRUE };
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  add_line (&h, NAME_LINE);
  g_ptr_array_set_size (names.told, 0);
  harness_check (&h, &there, &check);
  g_assert_cmpuint (names.told->len, ==, 1);
  g_assert_nonnull (strstr (names.told->pdata[0], " 0.0.0.0 54596 typ prflx"));
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  {
    g_autofree gchar *line = ice_candidate_to_sdp (names.selected_remote);
    g_autoptr (GPtrArray) remotes =
        ice_core_get_remote_candidates (h.core, h.stream);
    g_autofree gchar *stats = ice_candidate_to_sdp (remotes->pdata[0]);

    g_assert_null (strstr (line, PEER_IP));
    g_assert_null (strstr (stats, PEER_IP));
  }
  /* 5.3: then it is the one that was signalled. */
  resolved (&h, names.request, PEER_IP);
  g_assert_cmpuint (count_remotes (&h), ==, 1);
  {
    g_autoptr (GPtrArray) remotes =
        ice_core_get_remote_candidates (h.core, h.stream);
    g_autofree gchar *stats = ice_candidate_to_sdp (remotes->pdata[0]);

    g_assert_nonnull (strstr (stats, NAME " 54596 typ host"));
  }
  stop (&h, &names);
}

/* "unless that IP has already been learned through signaling of a candidate
 * with the same address and either the same or a different port" */
static void
test_signalled_address (void)
{
  const IceAddress there = addr (PEER_IP, 7000);
  Check check = { .controlled = TRUE };
  Names names;
  Harness h;

  start (&h, &names);
  harness_gather (&h);
  harness_credentials (&h);
  add_line (&h, NAME_LINE);
  add_line (&h,
      "candidate:2 1 udp 1677729535 " PEER_IP
      " 60000 typ srflx raddr 0.0.0.0 rport 9");
  g_ptr_array_set_size (names.told, 0);
  harness_check (&h, &there, &check);
  g_assert_nonnull (strstr (names.told->pdata[0], PEER_IP " 7000 typ prflx"));
  stop (&h, &names);
}

/* Ours. */

static void
hide (Harness *h)
{
  const IceGathererConfig config = { .hide_hosts = TRUE };

  ice_core_set_gather_config (h->core, &config);
}

/* RFC 4122 4.4. */
static void
assert_uuid (const gchar *name)
{
  g_assert_true (g_regex_match_simple (
      "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
      "\\.local$",
      name, 0, 0));
}

/* 3.1.1: a name for the address, the same for each stream and after a restart;
 * nothing told has the address in it. */
static void
test_published (void)
{
  gchar first[80];
  guint second;
  Names names;
  Harness h;

  start (&h, &names);
  hide (&h);
  harness_gather (&h);
  g_assert_cmpuint (names.n_published, ==, 1);
  assert_uuid (names.published);
  g_assert_cmpuint (names.interface_index, ==, 1);
  g_assert_cmpuint (names.address.port, ==, 0);
  g_strlcpy (first, names.published, sizeof first);
  second = ice_core_add_stream (h.core);
  ice_core_add_component (h.core, second, 1);
  ice_core_gather (h.core, second, h.now);
  harness_pump (&h);
  ice_core_restart (h.core, 0, h.now);
  harness_pump (&h);
  g_assert_cmpuint (names.n_published, ==, 1);
  g_assert_cmpuint (names.told->len, ==, 4);
  for (guint i = 0; i < names.told->len; i++) {
    g_assert_null (strstr (names.told->pdata[i], HOST_IP));
    g_assert_nonnull (strstr (names.told->pdata[i], first));
  }
  {
    g_autoptr (GPtrArray) locals =
        ice_core_get_local_candidates (h.core, h.stream);
    g_autofree gchar *line = ice_candidate_to_sdp (locals->pdata[0]);

    g_assert_null (strstr (line, HOST_IP));
  }
  stop (&h, &names);
}

/* 5.2: the check of a peer that may hide, and is not known to, comes before its
 * first candidate. */
static void
test_slow_signalling (void)
{
  const IceAddress there = addr (PEER_IP, 54596);
  Check check = { .controlled = TRUE };
  Names names;
  Harness h;

  start (&h, &names);
  hide (&h);
  harness_gather (&h);
  harness_credentials (&h);
  g_ptr_array_set_size (names.told, 0);
  harness_check (&h, &there, &check);
  g_assert_cmpuint (names.told->len, ==, 1);
  g_assert_null (strstr (names.told->pdata[0], PEER_IP));
  stop (&h, &names);
}

/* Two agents have different names for one address (3.3.3). */
static void
test_names_differ (void)
{
  Names names[2];
  Harness h[2];

  for (guint i = 0; i < 2; i++) {
    start (&h[i], &names[i]);
    h[i].dice = 42 + i;
    hide (&h[i]);
    harness_gather (&h[i]);
  }
  g_assert_cmpstr (names[0].published, !=, names[1].published);
  for (guint i = 0; i < 2; i++)
    stop (&h[i], &names[i]);
}

/* With a name, pairs and checks are as they were. */
static void
test_published_connects (void)
{
  Names names;
  Harness h;

  start (&h, &names);
  hide (&h);
  harness_gather (&h);
  harness_credentials (&h);
  harness_add_remote (&h, ICE_CANDIDATE_HOST, PEER_IP, 1, "1");
  harness_run_for (&h, 5 * ICE_MSEC);
  g_assert_true (harness_answer_next (&h));
  g_assert_cmpint (h.state, ==, ICE_STATE_CONNECTED);
  stop (&h, &names);
}

/* An address that is gone has no name any more. */
static void
test_withdrawn (void)
{
  const IceInterfaceAddress other = { .address = addr ("198.51.100.9", 0),
    .interface_index = 2 };
  Names names;
  Harness h;

  start (&h, &names);
  hide (&h);
  harness_gather (&h);
  ice_core_set_interfaces (h.core, &other, 1, h.now);
  harness_pump (&h);
  g_assert_cmpuint (names.n_withdrawn, ==, 1);
  g_assert_cmpstr (names.withdrawn, ==, names.published);
  ice_core_set_interfaces (h.core, &other, 1, h.now);
  harness_pump (&h);
  g_assert_cmpuint (names.n_withdrawn, ==, 1);
  stop (&h, &names);
}

/* Relayed candidates alone are told, so there is nothing to be found. */
static void
test_relay_only_publishes_nothing (void)
{
  const IceGathererConfig config = { .relay_only = TRUE, .hide_hosts = TRUE };
  Names names;
  Harness h;

  start (&h, &names);
  ice_core_set_gather_config (h.core, &config);
  harness_gather (&h);
  g_assert_cmpuint (names.n_published, ==, 0);
  stop (&h, &names);
}

/* What the user has told of a NAT is to be seen. */
static void
test_external_is_shown (void)
{
  const IceExternalAddress external = { addr ("203.0.113.5", 0),
    ICE_ADDRESS_NONE };
  g_autoptr (GBytes) mappings = g_bytes_new (&external, sizeof external);
  const IceGathererConfig config = { .hide_hosts = TRUE, .external = mappings };
  Names names;
  Harness h;

  start (&h, &names);
  ice_core_set_gather_config (h.core, &config);
  harness_gather (&h);
  g_assert_cmpuint (names.n_published, ==, 0);
  g_assert_nonnull (strstr (names.told->pdata[0], "203.0.113.5"));
  stop (&h, &names);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add_func ("/mdns-ice-candidates/" path, func)
  ADD ("3.2.1/resolved", test_resolved);
  ADD ("3.2.1/before-credentials", test_early);
  ADD ("3.2.1/asked-once", test_asked_once);
  ADD ("3.2.2/not-one-address", test_not_one_address);
  ADD ("3.2.1/end-of-candidates-waits", test_end_waits);
  ADD ("3.2.1/restart", test_restart);
  ADD ("6.1/bounded", test_bounded);
  ADD ("3.2.1/relay-only", test_relay_only);
  ADD ("3.3.2/no-relayed-pair", test_no_relayed_pair);
  ADD ("3.3.1/peer-reflexive", test_peer_reflexive);
  ADD ("3.3.1/signalled-address", test_signalled_address);
  ADD ("3.1.1/published", test_published);
  ADD ("3.3.3/names-differ", test_names_differ);
  ADD ("3.1.1/published-connects", test_published_connects);
  ADD ("5.2/slow-signalling", test_slow_signalling);
  ADD ("3.1.1/withdrawn", test_withdrawn);
  ADD ("3.1.1/relay-only-publishes-nothing", test_relay_only_publishes_nothing);
  ADD ("3.1.1/external-is-shown", test_external_is_shown);
#undef ADD
  return g_test_run ();
}
