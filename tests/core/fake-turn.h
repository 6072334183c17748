/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A TURN server small enough for a test: it answers one request at a time as
 * its script says, with real messages. */
#pragma once

#include "gst/ice/core/stun/builder.h"

#include <string.h>

#define FAKE_USER "user"
#define FAKE_PASSWORD "secret"
#define FAKE_REALM "example.org"

typedef struct
{
  /* The script. */
  const gchar *nonce;
  const gchar *password; /* NULL: FAKE_PASSWORD */
  /* Another user that it knows, who has no allocation (nullable). */
  const gchar *second_user, *second_password;
  gboolean second_owns;   /* or who has it: the first one does not, then */
  gboolean unsigned_441;  /* as coturn's are */
  const gchar *authority; /* RFC 7635: it takes tokens (nullable) */
  const gchar *mac_key;   /* and this is in the one that it expects */
  gboolean open;          /* no credentials asked for */
  gboolean unsigned_answers;
  guint error[16]; /* by method: answer with this code, 0: success */
  guint32 lifetime;
  gboolean without_lifetime;
  IceAddress mapped, relayed, alternate; /* family NONE: left out */
  const gchar *alternate_domain;
  guint16 extra_attribute; /* not 0: in every success */
  /* Options of Allocate: what it does not like is answered with an error, once
   * for each in turn; family NONE, NULL and FALSE are ignored silently. */
  struct
  {
    guint16 attribute;
    guint code;
  } dislikes[4];
  IceAddress additional; /* of the other family */
  guint address_error;   /* in place of it */
  gboolean reserves;
  const gchar *ticket;
  /* A NAT gave the client another address: 437, without the ticket; signed or
   * not. */
  gboolean forgot, forgot_key;
  guint relay;           /* REQUESTED-TRANSPORT that is right, 0: UDP */
  guint32 connection_id; /* of the next Connect; 0: left out */

  /* What came. */
  gboolean is_second_user; /* the last request was that one's */
  gboolean has_access_token;
  guint n_requests[16], n_indications[16];
  guint32 last_lifetime;   /* of Refresh */
  guint32 last_family;     /* of Allocate, 0: not given */
  guint32 last_additional; /* likewise */
  IceBytes last_even_port, last_token, last_ticket; /* of the last one */
  gboolean has_even_port, has_token, has_ticket, has_dont_fragment;
  guint8 storage[3][64]; /* where these point */
  guint32 last_channel;
  guint32 last_connection_id; /* of ConnectionBind */
  IceAddress last_peer;
} FakeTurn;

static inline IceAddress
address (const gchar *ip, guint16 port)
{
  IceAddress result;

  g_assert_true (ice_address_parse (&result, ip, port));
  return result;
}

static inline void
fake_turn_init (FakeTurn *self)
{
  *self = (FakeTurn){ .nonce = "nonce-1", .lifetime = 600 };
  self->mapped = address ("203.0.113.5", 40000);
  self->relayed = address ("198.51.100.1", 49152);
}

static inline IceStunKey *
fake_turn_key (const FakeTurn *self)
{
  const gchar *user = FAKE_USER;
  const gchar *password = self->password ? self->password : FAKE_PASSWORD;

  if (self->mac_key)
    return ice_stun_key_new_raw (
        ICE_BYTES (self->mac_key, strlen (self->mac_key)));
  if (self->is_second_user) {
    user = self->second_user;
    password = self->second_password;
  }
  return ice_stun_key_new_long_term (
      user, ICE_BYTES (FAKE_REALM, strlen (FAKE_REALM)), password, FALSE);
}

/* The code for an option of the request that it does not like. */
static inline guint
fake_turn_dislike (
    const FakeTurn *self, const IceStunMessage *request, guint16 *ret_attribute)
{
  if (self->forgot && request->method == ICE_STUN_REFRESH &&
      !ice_stun_message_has (request, ICE_STUN_MOBILITY_TICKET)) {
    *ret_attribute = 0;
    return 437;
  }
  for (guint i = 0; i < G_N_ELEMENTS (self->dislikes); i++) {
    if (self->dislikes[i].code &&
        ice_stun_message_has (request, self->dislikes[i].attribute)) {
      *ret_attribute = self->dislikes[i].attribute;
      return self->dislikes[i].code;
    }
  }
  return 0;
}

static inline IcePacket *
fake_turn_error (
    FakeTurn *self, const IceStunMessage *request, guint code, gboolean sign)
{
  g_autoptr (IceStunKey) key = fake_turn_key (self);
  IceStunBuilder builder;
  guint16 unknown;

  ice_stun_builder_init (
      &builder, ICE_STUN_ERROR, request->method, request->id);
  ice_stun_builder_add_error (&builder, code, NULL);
  if (code == 401 || code == 438) {
    ice_stun_builder_add_string (&builder, ICE_STUN_REALM, FAKE_REALM);
    ice_stun_builder_add_string (&builder, ICE_STUN_NONCE, self->nonce);
    if (self->authority)
      ice_stun_builder_add_string (
          &builder, ICE_STUN_THIRD_PARTY_AUTHORIZATION, self->authority);
  } else if (sign) {
    if (code == 300 && self->alternate.family != ICE_FAMILY_NONE)
      ice_stun_builder_add_address (
          &builder, ICE_STUN_ALTERNATE_SERVER, &self->alternate);
    if (code == 300 && self->alternate_domain)
      ice_stun_builder_add_string (
          &builder, ICE_STUN_ALTERNATE_DOMAIN, self->alternate_domain);
    if (code == 420 && fake_turn_dislike (self, request, &unknown) == 420)
      ice_stun_builder_add_unknown (&builder, &unknown, 1);
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  }
  return ice_stun_builder_end (&builder);
}

static inline gboolean
fake_turn_keep (FakeTurn *self, const IceStunMessage *request, guint16 type,
    guint place, IceBytes *ret_value)
{
  IceBytes value;

  if (!ice_stun_message_find (request, type, &value))
    return FALSE;
  g_assert_cmpuint (value.size, <=, sizeof self->storage[place]);
  if (value.size > 0)
    memcpy (self->storage[place], value.data, value.size);
  *ret_value = ICE_BYTES (self->storage[place], value.size);
  return TRUE;
}

static inline void
fake_turn_note_options (FakeTurn *self, const IceStunMessage *request)
{
  guint32 value;

  self->has_even_port = fake_turn_keep (
      self, request, ICE_STUN_EVEN_PORT, 0, &self->last_even_port);
  self->has_token = fake_turn_keep (
      self, request, ICE_STUN_RESERVATION_TOKEN, 1, &self->last_token);
  self->has_dont_fragment =
      ice_stun_message_has (request, ICE_STUN_DONT_FRAGMENT);
  self->last_additional = 0;
  if (ice_stun_message_get_u32 (
          request, ICE_STUN_ADDITIONAL_ADDRESS_FAMILY, &value))
    self->last_additional = value >> 24;
  /* RFC 8656 7.1: what must not stand together. */
  g_assert_false (self->last_additional && self->last_family);
  g_assert_false (self->last_additional && self->has_token);
  g_assert_false (self->last_additional && self->has_even_port);
  g_assert_false (self->has_token && self->has_even_port);
  g_assert_false (self->has_token && self->last_family);
}

/* 0 when the request is signed as it should be. */
static inline guint
fake_turn_check (FakeTurn *self, const IceStunMessage *request)
{
  g_autoptr (IceStunKey) key = fake_turn_key (self);
  IceBytes nonce;

  if (self->open || request->method == ICE_STUN_BINDING)
    return 0;
  if (!ice_stun_message_find (request, ICE_STUN_NONCE, &nonce))
    return 401;
  if (!ice_bytes_equal (nonce, ICE_BYTES (self->nonce, strlen (self->nonce))))
    return 438;
  if (!ice_stun_message_verify (request, key, ICE_STUN_INTEGRITY_SHA1))
    return 401;
  /* RFC 8656 5: what a user allocated is that user's. */
  return self->second_user && self->is_second_user != self->second_owns &&
          request->method != ICE_STUN_ALLOCATE
      ? 441
      : 0;
}

static inline void
fake_turn_note_user (FakeTurn *self, const IceStunMessage *request)
{
  IceBytes user;

  self->has_access_token =
      ice_stun_message_has (request, ICE_STUN_ACCESS_TOKEN);
  self->is_second_user = self->second_user &&
      ice_stun_message_find (request, ICE_STUN_USERNAME, &user) &&
      ice_bytes_equal (
          user, ICE_BYTES (self->second_user, strlen (self->second_user)));
}

static inline void
fake_turn_note (FakeTurn *self, const IceStunMessage *request)
{
  guint32 value;

  if (ice_stun_message_get_u32 (request, ICE_STUN_LIFETIME, &value))
    self->last_lifetime = value;
  if (ice_stun_message_get_u32 (request, ICE_STUN_CHANNEL_NUMBER, &value))
    self->last_channel = value >> 16;
  if (ice_stun_message_get_u32 (request, ICE_STUN_CONNECTION_ID, &value))
    self->last_connection_id = value;
  ice_stun_message_get_xor_address (
      request, ICE_STUN_XOR_PEER_ADDRESS, &self->last_peer);
  self->has_ticket = fake_turn_keep (
      self, request, ICE_STUN_MOBILITY_TICKET, 2, &self->last_ticket);
  if (request->method != ICE_STUN_ALLOCATE)
    return;
  self->last_family = 0;
  if (ice_stun_message_get_u32 (
          request, ICE_STUN_REQUESTED_ADDRESS_FAMILY, &value))
    self->last_family = value >> 24;
  fake_turn_note_options (self, request);
  /* RFC 8656 18.8: UDP is 17; RFC 6062 4.1: TCP is 6. */
  g_assert_true (
      ice_stun_message_get_u32 (request, ICE_STUN_REQUESTED_TRANSPORT, &value));
  g_assert_cmpuint (value, ==, (self->relay ? self->relay : 17u) << 24);
}

static inline void
fake_turn_add_options (
    FakeTurn *self, const IceStunMessage *request, IceStunBuilder *builder)
{
  if (request->method == ICE_STUN_ALLOCATE && self->last_additional) {
    if (self->additional.family != ICE_FAMILY_NONE)
      ice_stun_builder_add_xor_address (
          builder, ICE_STUN_XOR_RELAYED_ADDRESS, &self->additional);
    if (self->address_error) {
      guint8 value[] = { 2, 0, (guint8) (self->address_error / 100),
        (guint8) (self->address_error % 100), 'n', 'o' };

      ice_stun_builder_add_bytes (builder, ICE_STUN_ADDRESS_ERROR_CODE,
          ICE_BYTES (value, sizeof value));
    }
  }
  if (request->method == ICE_STUN_ALLOCATE && self->has_even_port &&
      self->reserves)
    ice_stun_builder_add_bytes (
        builder, ICE_STUN_RESERVATION_TOKEN, ICE_BYTES ("12345678", 8));
  if (self->has_ticket && self->ticket)
    ice_stun_builder_add_string (
        builder, ICE_STUN_MOBILITY_TICKET, self->ticket);
}

static inline IcePacket *
fake_turn_success (FakeTurn *self, const IceStunMessage *request)
{
  g_autoptr (IceStunKey) key = fake_turn_key (self);
  IceStunBuilder builder;
  guint32 lifetime = self->lifetime;

  ice_stun_builder_init (
      &builder, ICE_STUN_SUCCESS, request->method, request->id);
  if (request->method == ICE_STUN_ALLOCATE &&
      self->relayed.family != ICE_FAMILY_NONE)
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_RELAYED_ADDRESS, &self->relayed);
  if ((request->method == ICE_STUN_ALLOCATE ||
          request->method == ICE_STUN_BINDING) &&
      self->mapped.family != ICE_FAMILY_NONE)
    ice_stun_builder_add_xor_address (
        &builder, ICE_STUN_XOR_MAPPED_ADDRESS, &self->mapped);
  if (request->method == ICE_STUN_REFRESH && self->last_lifetime == 0)
    lifetime = 0;
  if ((request->method == ICE_STUN_ALLOCATE ||
          request->method == ICE_STUN_REFRESH) &&
      !self->without_lifetime)
    ice_stun_builder_add_u32 (&builder, ICE_STUN_LIFETIME, lifetime);
  fake_turn_add_options (self, request, &builder);
  if (request->method == ICE_STUN_CONNECT && self->connection_id != 0)
    ice_stun_builder_add_u32 (
        &builder, ICE_STUN_CONNECTION_ID, self->connection_id++);
  if (self->extra_attribute != 0)
    ice_stun_builder_add_flag (&builder, self->extra_attribute);
  if (!self->unsigned_answers && !self->open &&
      request->method != ICE_STUN_BINDING)
    ice_stun_builder_add_integrity (&builder, key, ICE_STUN_INTEGRITY_SHA1);
  ice_stun_builder_add_fingerprint (&builder);
  return ice_stun_builder_end (&builder);
}

/* (transfer full) (nullable) the answer; NULL to an indication. */
static inline IcePacket *
fake_turn_answer (FakeTurn *self, const IcePacket *packet)
{
  IceStunMessage request;
  guint16 disliked;
  guint code;

  if (!ice_stun_message_parse (
          &request, ICE_BYTES (packet->data, packet->size)))
    return NULL; /* ChannelData */
  g_assert_cmpuint (request.method, <, 16);
  if (request.klass == ICE_STUN_INDICATION) {
    self->n_indications[request.method]++;
    ice_stun_message_get_xor_address (
        &request, ICE_STUN_XOR_PEER_ADDRESS, &self->last_peer);
    return NULL;
  }
  g_assert_cmpint (request.klass, ==, ICE_STUN_REQUEST);
  self->n_requests[request.method]++;
  fake_turn_note (self, &request);
  fake_turn_note_user (self, &request);
  code = fake_turn_check (self, &request);
  if (code == 0)
    code = fake_turn_dislike (self, &request, &disliked);
  if (code == 0)
    code = self->error[request.method];
  if (code != 0)
    return fake_turn_error (self, &request, code,
        !self->unsigned_answers && !(code == 437 && self->forgot_key) &&
            !(code == 441 && self->unsigned_441));
  return fake_turn_success (self, &request);
}

/* (transfer full) what a peer sent, as the server passes it on. */
static inline IcePacket *
fake_turn_data (FakeTurn *self, const IceAddress *peer, const gchar *text)
{
  static const guint8 id[ICE_STUN_ID_SIZE] = { 0xda, 0x7a };
  IceStunBuilder builder;

  ice_stun_builder_init (&builder, ICE_STUN_INDICATION, ICE_STUN_DATA, id);
  ice_stun_builder_add_xor_address (&builder, ICE_STUN_XOR_PEER_ADDRESS, peer);
  ice_stun_builder_add_bytes (
      &builder, ICE_STUN_DATA_ATTRIBUTE, ICE_BYTES (text, strlen (text)));
  return ice_stun_builder_end (&builder);
}
