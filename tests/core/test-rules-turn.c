/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about a malicious TURN server: whatever it says, requests are few and
 * far between, and nothing it made up reaches the peer. Tests are named after
 * the rules; each rule stands above its first test. */
#include "hostile-turn.h"

/* Lies. */

static IcePacket *
say_nothing (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  return NULL;
}

static IcePacket *
refuse (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  return fake_turn_error (&lab->turn, request, lab->code, TRUE);
}

static IcePacket *
refuse_unsigned (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  return fake_turn_error (&lab->turn, request, lab->code, FALSE);
}

/* A nonce, and with it perhaps a realm, that was never said before. */
static IcePacket *
challenge_anew (Lab *lab, const IceStunMessage *request, gboolean realm)
{
  static guint counter;
  IceStunBuilder builder;

  g_snprintf (lab->text, sizeof lab->text, "fresh-%u", counter++);
  ice_stun_builder_init (
      &builder, ICE_STUN_ERROR, request->method, request->id);
  ice_stun_builder_add_error (&builder, lab->code, NULL);
  ice_stun_builder_add_string (
      &builder, ICE_STUN_REALM, realm ? lab->text : FAKE_REALM);
  ice_stun_builder_add_string (&builder, ICE_STUN_NONCE, lab->text);
  return ice_stun_builder_end (&builder);
}

static IcePacket *
change_nonce (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  return challenge_anew (lab, request, FALSE);
}

static IcePacket *
change_realm (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  return challenge_anew (lab, request, TRUE);
}

/* Each server names the next one. */
static IcePacket *
redirect (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  lab->turn.alternate = address ("203.0.113.1", LAB_PORT);
  lab->turn.alternate.ip[3] =
      (guint8) (1 + (g_hash_table_size (lab->places) % 200));
  return fake_turn_error (&lab->turn, request, 300, TRUE);
}

static IcePacket *
redirect_to_itself (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  lab->turn.alternate = address (LAB_SERVER_IP, LAB_PORT);
  return fake_turn_error (&lab->turn, request, 300, TRUE);
}

/* A success of an attacker's making, who would like to be the relay. */
typedef enum
{
  FORGED_UNSIGNED,
  FORGED_BY_OTHER_KEY,
  FORGED_BY_OTHER_ALGORITHM,
  FORGED_OTHER_TRANSACTION,
  FORGED_OTHER_METHOD,
  FORGED_BEHIND_INTEGRITY,
} Forgery;

static IcePacket *
forge (Lab *lab, const IceStunMessage *request, Forgery forgery)
{
  static const guint8 other_id[ICE_STUN_ID_SIZE] = { 1 };
  IceAddress evil = address (ATTACKER_IP, 6666);
  g_autoptr (IceStunKey) key = forgery == FORGED_BY_OTHER_KEY
      ? ice_stun_key_new_short_term ("another")
      : fake_turn_key (&lab->turn);
  IceStunIntegrity integrity = forgery == FORGED_BY_OTHER_ALGORITHM
      ? ICE_STUN_INTEGRITY_SHA256
      : ICE_STUN_INTEGRITY_SHA1;
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_SUCCESS,
      forgery == FORGED_OTHER_METHOD ? ICE_STUN_REFRESH : request->method,
      forgery == FORGED_OTHER_TRANSACTION ? other_id : request->id);
  if (forgery == FORGED_BEHIND_INTEGRITY)
    ice_stun_builder_add_integrity (&builder, key, integrity);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_RELAYED_ADDRESS, &evil);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &evil);
  ice_stun_builder_add_u32 (&builder, ICE_STUN_LIFETIME, 1);
  if (forgery != FORGED_BEHIND_INTEGRITY && forgery != FORGED_UNSIGNED)
    ice_stun_builder_add_integrity (&builder, key, integrity);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

static IcePacket *
forge_success (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  ice_packet_unref (honest);
  return forge (lab, request, (Forgery) lab->code);
}

static IcePacket *
lengthen_lifetime (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  g_autoptr (IceStunKey) key = fake_turn_key (&lab->turn);
  IceStunBuilder builder;

  ice_packet_unref (honest);
  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, request->method, request->id);
  ice_stun_builder_add_xor_address (
      &builder, ICE_STUN_XOR_RELAYED_ADDRESS, &lab->turn.relayed);
  ice_stun_builder_add_u64 (&builder, ICE_STUN_LIFETIME, 600);
  ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  return ice_stun_builder_end (&builder);
}

/* 3, U4, U5, U14: bounded retries everywhere: four requests at most, however
 * long it goes on, and no candidate. */
static const struct
{
  const gchar *name;
  LabSpoil spoil;
  guint code;
} refusals[] = {
  { "stale-nonce-forever", change_nonce, 438 },
  { "stale-nonce-same", refuse, 438 },
  { "unauthorized-forever", refuse, 401 },
  { "unauthorized-nonces", change_nonce, 401 },
  { "changing-realm", change_realm, 401 },
  { "changing-realm-438", change_realm, 438 },
  { "redirect-chain", redirect, 300 },
  { "redirect-to-itself", redirect_to_itself, 300 },
  { "redirect-nowhere", refuse, 300 },
  { "400", refuse, 400 },
  { "403", refuse, 403 },
  { "420", refuse, 420 },
  { "437", refuse, 437 },
  { "440", refuse, 440 },
  { "441", refuse, 441 },
  { "442", refuse, 442 },
  { "443", refuse, 443 },
  { "486", refuse, 486 },
  { "500", refuse, 500 },
  { "508", refuse, 508 },
  { "699", refuse, 699 },
};

static void
test_refusal (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Lab lab;

  lab_init (&lab);
  lab.spoil = refusals[i].spoil;
  lab.code = refusals[i].code;
  lab_gather (&lab);
  harness_credentials (&lab.h);
  lab_run_for (&lab, 600 * ICE_SECOND);
  g_assert_cmpuint (lab_count_requests (&lab, 0), <=, 4);
  g_assert_cmpuint (lab.requests->len, <=, 4);
  g_assert_cmpuint (g_hash_table_size (lab.places), <=, 3);
  g_assert_null (lab_find_relayed (&lab));
  g_assert_cmpuint (lab.n_errors, ==, 1);
  g_assert_cmpuint (lab.error_code, ==, lab.code);
  lab_clear (&lab);
}

/* And when it was granted: on Refresh, CreatePermission and ChannelBind four in
 * a loop, one a second on average over any minute, and no loop that never
 * ends. */
static const struct
{
  const gchar *name;
  guint16 method;
  LabSpoil spoil;
  guint code;
} later_refusals[] = {
  { "refresh/stale-nonce", ICE_STUN_REFRESH, change_nonce, 438 },
  { "refresh/stale-nonce-same", ICE_STUN_REFRESH, refuse, 438 },
  { "refresh/unauthorized", ICE_STUN_REFRESH, refuse, 401 },
  { "refresh/changing-realm", ICE_STUN_REFRESH, change_realm, 401 },
  { "refresh/437", ICE_STUN_REFRESH, refuse, 437 },
  { "refresh/500", ICE_STUN_REFRESH, refuse, 500 },
  { "refresh/silence", ICE_STUN_REFRESH, say_nothing, 0 },
  { "permission/stale-nonce", ICE_STUN_CREATE_PERMISSION, change_nonce, 438 },
  { "permission/unauthorized", ICE_STUN_CREATE_PERMISSION, refuse, 401 },
  { "permission/403", ICE_STUN_CREATE_PERMISSION, refuse, 403 },
  { "permission/500", ICE_STUN_CREATE_PERMISSION, refuse, 500 },
  { "permission/508", ICE_STUN_CREATE_PERMISSION, refuse, 508 },
  { "permission/silence", ICE_STUN_CREATE_PERMISSION, say_nothing, 0 },
  { "channel/stale-nonce", ICE_STUN_CHANNEL_BIND, change_nonce, 438 },
  { "channel/unauthorized", ICE_STUN_CHANNEL_BIND, refuse, 401 },
  { "channel/400", ICE_STUN_CHANNEL_BIND, refuse, 400 },
  { "channel/500", ICE_STUN_CHANNEL_BIND, refuse, 500 },
  { "channel/508", ICE_STUN_CHANNEL_BIND, refuse, 508 },
  { "channel/silence", ICE_STUN_CHANNEL_BIND, say_nothing, 0 },
};

static void
test_later_refusal (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  guint16 method = later_refusals[i].method;
  Lab lab;

  lab_init (&lab);
  lab.spoil = later_refusals[i].spoil;
  lab.code = later_refusals[i].code;
  lab.method = method;
  lab_connect (&lab);
  lab_run_for (&lab, 1800 * ICE_SECOND);
  g_test_message ("%u in all, %u in a second, %u in ten, %u in a minute",
      lab_count_requests (&lab, method), lab_peak (&lab, method, ICE_SECOND),
      lab_peak (&lab, method, 10 * ICE_SECOND),
      lab_peak (&lab, method, 60 * ICE_SECOND));
  g_assert_cmpuint (lab_peak (&lab, method, ICE_SECOND), <=, 4);
  /* Seven packets are one request that is resent. */
  g_assert_cmpuint (lab_peak (&lab, method, 10 * ICE_SECOND), <=, 7);
  g_assert_cmpuint (lab_peak (&lab, 0, 60 * ICE_SECOND), <=, 60);
  /* A channel is a convenience: media goes on without it (U6). */
  if (method == ICE_STUN_CHANNEL_BIND) {
    g_assert_cmpint (lab.h.state, ==, ICE_STATE_COMPLETED);
    g_assert_cmpuint (lab.n_channel_bound_routes, ==, 0);
    g_assert_cmpuint (lab_count_requests (&lab, method), <=, 4);
    g_assert_true (ice_core_send (
        lab.h.core, lab.h.transport, ICE_BYTES ("media", 5), lab.h.now));
  } else {
    g_assert_cmpint (lab.h.state, ==, ICE_STATE_FAILED);
    /* A permission that came with the channel is used while it lasts, and asked
     * for once more; an allocation that is lost is made again, three times at
     * most, and refreshed likewise. */
    g_assert_cmpuint (lab_count_requests (&lab, method), <=,
        later_refusals[i].spoil == say_nothing ? 9
            : method == ICE_STUN_REFRESH       ? 4 * 4
                                               : 8);
    if (later_refusals[i].spoil != say_nothing)
      g_assert_cmpuint (lab_peak (&lab, method, 200 * ICE_SECOND), <=, 4);
  }
  lab_clear (&lab);
}

/* 4, 3.14, U8: a lifetime is a hostile number. */
static const struct
{
  const gchar *name;
  guint32 lifetime;
  gboolean without, odd;
  gboolean useless;
  guint max_refreshes; /* in one hour */
} lifetimes[] = {
  { "zero", 0, FALSE, FALSE, TRUE, 0 },
  { "one", 1, FALSE, FALSE, FALSE, 120 },
  { "fifty-nine", 59, FALSE, FALSE, FALSE, 120 },
  { "default", 600, FALSE, FALSE, FALSE, 7 },
  { "giant", 0x7fffffff, FALSE, FALSE, FALSE, 0 },
  { "overflow", 0xffffffff, FALSE, FALSE, FALSE, 0 },
  { "missing", 600, TRUE, FALSE, FALSE, 7 },
  { "eight-bytes", 600, FALSE, TRUE, TRUE, 0 },
};

static void
test_lifetime (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (IceCandidate) relayed = NULL;
  Lab lab;

  lab_init (&lab);
  lab.turn.lifetime = lifetimes[i].lifetime;
  lab.turn.without_lifetime = lifetimes[i].without;
  if (lifetimes[i].odd)
    lab.spoil = lengthen_lifetime;
  lab_gather (&lab);
  lab_run_for (&lab, 3600 * ICE_SECOND);
  relayed = lab_find_relayed (&lab);
  g_assert_cmpint (relayed == NULL, ==, lifetimes[i].useless);
  g_assert_cmpuint (lab.n_errors, ==, lifetimes[i].useless);
  g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_REFRESH), <=,
      lifetimes[i].max_refreshes);
  g_assert_cmpuint (lab_peak (&lab, ICE_STUN_REFRESH, ICE_SECOND), <=, 1);
  g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_ALLOCATE), ==, 2);
  lab_clear (&lab);
}

/* The same of a Refresh: zero means that it is gone. */
static void
test_lifetime_zero_on_refresh (void)
{
  g_autoptr (IceCandidate) relayed = NULL;
  Lab lab;

  lab_init (&lab);
  lab_gather (&lab);
  lab.turn.lifetime = 0;
  lab_run_for (&lab, 3600 * ICE_SECOND);
  relayed = lab_find_relayed (&lab);
  g_assert_null (relayed);
  g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_REFRESH), ==, 1);
  lab_clear (&lab);
}

/* 4, U9: no such address is told to the peer; it is given back. */
static const struct
{
  const gchar *ip;
  guint16 port;
} bad_relays[] = { { "0.0.0.0", 0 }, { "0.0.0.0", 5000 }, { "0.1.2.3", 5000 },
  { "198.51.100.1", 0 }, { "224.0.0.1", 5000 }, { "239.255.255.250", 1900 },
  { "255.255.255.255", 5000 }, { "240.0.0.1", 5000 }, { "::", 5000 },
  { "ff02::1", 5000 }, { "::ffff:127.0.0.1", 5000 },
  { "::ffff:198.51.100.1", 5000 }, { "::127.0.0.1", 5000 } };

static void
test_bad_relayed_addresses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_relays); i++) {
    Lab lab;

    lab_init (&lab);
    lab.turn.relayed = address (bad_relays[i].ip, bad_relays[i].port);
    lab_gather (&lab);
    lab_run_for (&lab, 60 * ICE_SECOND);
    g_assert_null (lab_find_relayed (&lab));
    g_assert_cmpuint (lab.h.n_local, ==, 0);
    g_assert_cmpuint (lab.n_errors, ==, 1);
    g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_ALLOCATE), ==, 2);
    g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_REFRESH), ==, 1);
    g_assert_cmpuint (lab.turn.last_lifetime, ==, 0);
    lab_clear (&lab);
  }
}

/* And a mapped one is not told as the related address. */
static void
test_bad_mapped_addresses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_relays); i++) {
    IceGathererConfig gather = { .relay_only = FALSE };
    g_autoptr (GPtrArray) locals = NULL;
    Lab lab;

    lab_init (&lab);
    ice_core_set_gather_config (lab.h.core, &gather);
    lab.turn.mapped = address (bad_relays[i].ip, bad_relays[i].port);
    lab_gather (&lab);
    lab_run_for (&lab, 60 * ICE_SECOND);
    locals = ice_core_get_local_candidates (lab.h.core, lab.h.stream);
    g_assert_cmpuint (locals->len, ==, 2); /* host and relayed */
    for (guint j = 0; j < locals->len; j++) {
      const IceCandidate *candidate = g_ptr_array_index (locals, j);

      g_assert_cmpint (candidate->kind, !=, ICE_CANDIDATE_SERVER_REFLEXIVE);
      g_assert_true (ice_address_is_usable (&candidate->address));
      g_assert_false (
          ice_address_equal (&candidate->related, &lab.turn.mapped) &&
          candidate->related.port != 0);
    }
    lab_clear (&lab);
  }
}

/* 2, 3.14, U10: once credentials were sent, what is not signed as the request
 * was never came: it is resent, and the honest answer counts. */
static void
test_forged_success (void)
{
  for (guint i = FORGED_UNSIGNED; i <= FORGED_OTHER_METHOD; i++) {
    g_autoptr (IceCandidate) relayed = NULL;
    Lab lab;

    lab_init (&lab);
    lab.spoil = forge_success;
    lab.code = i;
    lab.n_lies = 3;
    lab_gather (&lab);
    g_assert_null (lab_find_relayed (&lab));
    lab_run_for (&lab, 10 * ICE_SECOND);
    relayed = lab_find_relayed (&lab);
    g_assert_nonnull (relayed);
    g_assert_true (ice_address_equal (&relayed->address, &lab.turn.relayed));
    g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_ALLOCATE), ==, 2);
    lab_clear (&lab);

    /* For ever: given up after one request and its retransmissions. */
    lab_init (&lab);
    lab.spoil = forge_success;
    lab.code = i;
    lab_gather (&lab);
    lab_run_for (&lab, 120 * ICE_SECOND);
    g_assert_null (lab_find_relayed (&lab));
    g_assert_cmpuint (lab_count_requests (&lab, 0), ==, 2);
    g_assert_cmpuint (lab.requests->len, ==, 1 + 7);
    lab_clear (&lab);
  }
}

static void
test_unsigned_errors (void)
{
  static const guint codes[] = { 300, 400, 403, 420, 437, 440, 441, 442, 443,
    486, 500, 508, 699 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autoptr (IceCandidate) relayed = NULL;
    Lab lab;

    lab_init (&lab);
    lab.turn.alternate = address (ATTACKER_IP, LAB_PORT);
    lab.spoil = refuse_unsigned;
    lab.code = codes[i];
    lab.n_lies = 2;
    lab_gather (&lab);
    lab_run_for (&lab, 10 * ICE_SECOND);
    relayed = lab_find_relayed (&lab);
    g_assert_nonnull (relayed);
    g_assert_cmpuint (g_hash_table_size (lab.places), ==, 1);
    g_assert_cmpuint (lab.n_errors, ==, 0);
    lab_clear (&lab);
  }
}

/* 1, U10: signed, but what it says stands behind the MAC. */
static void
test_attributes_after_integrity (void)
{
  Lab lab;

  lab_init (&lab);
  lab.spoil = forge_success;
  lab.code = FORGED_BEHIND_INTEGRITY;
  lab_gather (&lab);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_null (lab_find_relayed (&lab));
  g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_ALLOCATE), ==, 2);
  lab_clear (&lab);

  /* LIFETIME 1 behind the MAC of a Refresh: the default counts. */
  lab_init (&lab);
  lab.spoil = forge_success;
  lab.code = FORGED_BEHIND_INTEGRITY;
  lab.method = ICE_STUN_REFRESH;
  lab_gather (&lab);
  lab_run_for (&lab, 3600 * ICE_SECOND);
  g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_REFRESH), <=, 7);
  lab_clear (&lab);
}

static void
test_unknown_required (void)
{
  Lab lab;

  lab_init (&lab);
  lab.turn.extra_attribute = 0x7abc;
  lab_gather (&lab);
  lab_run_for (&lab, 120 * ICE_SECOND);
  g_assert_null (lab_find_relayed (&lab));
  g_assert_cmpuint (lab_count_requests (&lab, 0), <=, 4);
  lab_clear (&lab);
}

/* 10, 3.16: a nonce or realm longer than RFC 8489 14.9 and 14.10 allow is no
 * challenge; one that is just so long, and binary, is. */
static void
test_long_nonce (void)
{
  static const gsize sizes[] = { 1, 127, 128, 763, 764, 4000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree gchar *nonce = g_strnfill (sizes[i], (gchar) 0xfe);
    g_autoptr (IceCandidate) relayed = NULL;
    Lab lab;

    lab_init (&lab);
    lab.turn.nonce = nonce;
    lab_gather (&lab);
    lab_run_for (&lab, 60 * ICE_SECOND);
    relayed = lab_find_relayed (&lab);
    g_assert_cmpint (relayed != NULL, ==, sizes[i] <= 763);
    g_assert_cmpuint (lab_count_requests (&lab, ICE_STUN_ALLOCATE), <=, 2);
    lab_clear (&lab);
  }
}

/* 3.15: a nonce that announces PASSWORD-ALGORITHMS without the attribute was
 * tampered with: no retry (RFC 8489 9.2.1). */
static void
test_bid_down (void)
{
  Lab lab;

  lab_init (&lab);
  lab.turn.nonce = "obMatJos2gAAAnonce";
  lab_gather (&lab);
  lab_run_for (&lab, 60 * ICE_SECOND);
  g_assert_null (lab_find_relayed (&lab));
  g_assert_cmpuint (lab_count_requests (&lab, 0), ==, 1);
  lab_clear (&lab);
}

static IcePacket *
want_userhash (Lab *lab, const IceStunMessage *request, IcePacket *honest)
{
  g_assert_false (ice_stun_message_has (request, ICE_STUN_USERNAME));
  g_assert_true (ice_stun_message_has (request, ICE_STUN_USERHASH));
  return honest;
}

/* And one that announces username anonymity gets no name. */
static void
test_anonymity (void)
{
  g_autoptr (IceCandidate) relayed = NULL;
  Lab lab;

  lab_init (&lab);
  lab.turn.nonce = "obMatJos2QAAAnonce";
  lab.spoil = want_userhash;
  lab_gather (&lab);
  relayed = lab_find_relayed (&lab);
  g_assert_nonnull (relayed);
  lab_clear (&lab);
}

static void
add_table (const gchar *prefix, const gchar *name, guint i,
    void (*test) (gconstpointer))
{
  g_autofree gchar *path = g_strdup_printf ("/rules/%s/%s", prefix, name);

  g_test_add_data_func (path, GUINT_TO_POINTER (i), test);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    add_table ("3/allocate", refusals[i].name, i, test_refusal);
  for (guint i = 0; i < G_N_ELEMENTS (later_refusals); i++)
    add_table ("3", later_refusals[i].name, i, test_later_refusal);
  for (guint i = 0; i < G_N_ELEMENTS (lifetimes); i++)
    add_table ("4/lifetime", lifetimes[i].name, i, test_lifetime);
  g_test_add_func (
      "/rules/4/lifetime/zero-on-refresh", test_lifetime_zero_on_refresh);
  g_test_add_func (
      "/rules/4/bad-relayed-addresses", test_bad_relayed_addresses);
  g_test_add_func ("/rules/4/bad-mapped-addresses", test_bad_mapped_addresses);
  g_test_add_func ("/rules/2/forged-success", test_forged_success);
  g_test_add_func ("/rules/2/unsigned-errors", test_unsigned_errors);
  g_test_add_func (
      "/rules/1/attributes-after-integrity", test_attributes_after_integrity);
  g_test_add_func ("/rules/U10/unknown-required", test_unknown_required);
  g_test_add_func ("/rules/10/long-nonce", test_long_nonce);
  g_test_add_func ("/rules/3.15/bid-down", test_bid_down);
  g_test_add_func ("/rules/3.15/anonymity", test_anonymity);
  return g_test_run ();
}
