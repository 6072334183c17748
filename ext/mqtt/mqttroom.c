/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mqttroom.h"

#include <string.h>

#include "gst/signallers/json.h"

GST_DEBUG_CATEGORY_EXTERN (ice_mqtt_debug);
#define GST_CAT_DEFAULT ice_mqtt_debug

#define MAX_ID 64
/* Of the room's members, who can be thousands, these are enough to find one. */
#define MAX_MEMBERS 1024
/* A line and its head. */
#define MAX_PAYLOAD (GST_ICE_JSON_MAX_SIZE + 512)
/* What waits for a peer that does not listen: more than any session says. */
#define MAX_UNHEARD 512
#define MAX_UNHEARD_SIZE (1024 * 1024)

#define CALL_TIMEOUT (3 * G_TIME_SPAN_SECOND)
/* Who was busy may be free again; who does not answer is not there. */
#define BUSY_FOR (G_TIME_SPAN_SECOND / 2)
#define SILENT_FOR (10 * G_TIME_SPAN_SECOND)
/* A member whose connection broke has this long to come back: its media may
 * flow all the time. */
#define GRACE (5 * G_TIME_SPAN_SECOND)
#define SAY_AGAIN (2 * G_TIME_SPAN_SECOND)
/* A minute of silence is an end. */
#define MAX_SAID_AGAIN 30

typedef struct
{
  gchar *id; /* (owned) */
  GstIceSignallerRole role;
  gboolean busy;
  gint64 not_before; /* when it may be called again */
} Member;

typedef struct
{
  guint seq;
  gchar *line; /* (owned) */
} Saying;

typedef enum
{
  ROOM_FREE,
  ROOM_CALLING,
  ROOM_PAIRED,
} RoomState;

struct _GstIceMqttRoom
{
  const GstIceMqttRoomConfig *config; /* (unowned) */
  const GstIceMqttRoomFuncs *funcs;   /* (unowned) */
  gpointer user_data;

  gboolean connected, left;
  GHashTable *members; /* (owned) id -> Member */
  RoomState state;
  gchar *peer;       /* (owned) (nullable) whom we call, or speak with */
  gchar *call;       /* (owned) (nullable) */
  gint64 call_until; /* CALLING */
  gint64 gone_at;    /* PAIRED: its presence went, 0: it is there */
  guint n_said;      /* lines of this call */
  guint n_heard;
  GQueue unheard; /* (owned) (element-type Saying) */
  gsize unheard_size;
  gint64 say_again_at;
  guint n_said_again;
};

gboolean
gst_ice_mqtt_is_id (const gchar *text)
{
  gsize n;

  for (n = 0; text[n] != '\0'; n++)
    if (n == MAX_ID ||
        (!g_ascii_isalnum (text[n]) && strchr ("-_.", text[n]) == NULL))
      return FALSE;
  return n > 0;
}

static void
member_free (gpointer data)
{
  Member *member = data;

  g_free (member->id);
  g_free (member);
}

static void
saying_free (gpointer data)
{
  Saying *saying = data;

  g_free (saying->line);
  g_free (saying);
}

GstIceMqttRoom *
gst_ice_mqtt_room_new (const GstIceMqttRoomConfig *config,
    const GstIceMqttRoomFuncs *funcs, gpointer user_data)
{
  GstIceMqttRoom *self = g_new0 (GstIceMqttRoom, 1);

  self->config = config;
  self->funcs = funcs;
  self->user_data = user_data;
  self->members =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, member_free);
  g_queue_init (&self->unheard);
  return self;
}

void
gst_ice_mqtt_room_free (GstIceMqttRoom *self)
{
  g_hash_table_unref (self->members);
  g_queue_clear_full (&self->unheard, saying_free);
  g_free (self->peer);
  g_free (self->call);
  g_free (self);
}

/* Payloads: a MAC and the rest. */

/* (transfer full) */
static gchar *
make_mac (
    GstIceMqttRoom *self, const gchar *topic, const gchar *rest, gsize size)
{
  const gchar *secret = self->config->secret;
  g_autofree gchar *text = NULL;

  if (secret == NULL)
    return g_strdup ("-");
  text = g_strdup_printf (
      "%s/%s\n%.*s", self->config->base, topic, (gint) size, rest);
  return g_compute_hmac_for_string (G_CHECKSUM_SHA256, (const guchar *) secret,
      strlen (secret), text, strlen (text));
}

/* In a time that does not tell where they differ. */
static gboolean
same_mac (const gchar *a, const gchar *b, gsize size)
{
  guint8 difference = 0;
  gsize i;

  for (i = 0; i < size; i++)
    difference |= (guint8) (a[i] ^ b[i]);
  return difference == 0;
}

/* (nullable) what follows the MAC of @payload; NULL: a stranger's */
static const gchar *
open_payload (GstIceMqttRoom *self, const gchar *topic, const gchar *payload,
    gsize size, gsize *ret_size)
{
  const gchar *space = memchr (payload, ' ', size);
  g_autofree gchar *mac = NULL;
  const gchar *rest;

  if (space == NULL || size > MAX_PAYLOAD ||
      memchr (payload, '\0', size) != NULL)
    return NULL;
  rest = space + 1;
  *ret_size = size - (gsize) (rest - payload);
  mac = make_mac (self, topic, rest, *ret_size);
  if (strlen (mac) != (gsize) (space - payload) ||
      !same_mac (mac, payload, strlen (mac)))
    return NULL;
  return rest;
}

static void
publish (GstIceMqttRoom *self, const gchar *topic, const gchar *rest,
    gboolean retain)
{
  g_autofree gchar *mac = make_mac (self, topic, rest, strlen (rest));
  g_autofree gchar *payload = g_strconcat (mac, " ", rest, NULL);

  self->funcs->publish (self->user_data, topic, payload, retain);
}

/* Presence */

static const gchar *
role_name (GstIceSignallerRole role)
{
  return role == GST_ICE_SIGNALLER_ROLE_OFFER ? "offer"
      : role == GST_ICE_SIGNALLER_ROLE_ANSWER ? "answer"
                                              : "auto";
}

static GstIceSignallerRole
role_of (const gchar *name)
{
  return g_strcmp0 (name, "offer") == 0 ? GST_ICE_SIGNALLER_ROLE_OFFER
      : g_strcmp0 (name, "answer") == 0 ? GST_ICE_SIGNALLER_ROLE_ANSWER
                                        : GST_ICE_SIGNALLER_ROLE_AUTO;
}

static void
tell_presence (GstIceMqttRoom *self)
{
  g_autofree gchar *topic = g_strconcat ("at/", self->config->id, NULL);
  g_autofree gchar *text = NULL;
  GString *json;

  if (!self->connected || self->left)
    return;
  json = gst_ice_json_begin ();
  gst_ice_json_add_string (json, "type", "hello");
  gst_ice_json_add_string (json, "role", role_name (self->config->role));
  gst_ice_json_add_string (
      json, "with", self->state == ROOM_PAIRED ? self->peer : NULL);
  text = gst_ice_json_end (json);
  publish (self, topic, text, TRUE);
}

/* What is said to a peer */

static void
send (GstIceMqttRoom *self, const gchar *to, const gchar *call, guint seq,
    guint ack, const gchar *line)
{
  g_autofree gchar *topic = g_strconcat ("to/", to, NULL);
  g_autofree gchar *rest = g_strdup_printf (
      "%s %s %u %u\n%s", self->config->id, call, seq, ack, line);

  if (self->connected)
    publish (self, topic, rest, FALSE);
}

static void
say_all_again (GstIceMqttRoom *self, gint64 now)
{
  GList *l;

  self->say_again_at = now + SAY_AGAIN;
  for (l = self->unheard.head; l != NULL; l = l->next) {
    const Saying *saying = l->data;

    send (
        self, self->peer, self->call, saying->seq, self->n_heard, saying->line);
  }
}

/* @line: (transfer full) */
static void
say (GstIceMqttRoom *self, gchar *line, gint64 now)
{
  Saying *saying = g_new0 (Saying, 1);

  saying->seq = ++self->n_said;
  saying->line = line;
  if (self->unheard.length == 0) {
    self->say_again_at = now + SAY_AGAIN;
    self->n_said_again = 0;
  }
  g_queue_push_tail (&self->unheard, saying);
  self->unheard_size += strlen (line);
  send (self, self->peer, self->call, saying->seq, self->n_heard, line);
}

gboolean
gst_ice_mqtt_room_say (GstIceMqttRoom *self, gchar *line, gint64 now)
{
  if (self->state != ROOM_PAIRED || self->unheard.length >= MAX_UNHEARD ||
      self->unheard_size + strlen (line) > MAX_UNHEARD_SIZE) {
    g_free (line);
    return FALSE;
  }
  say (self, line, now);
  return TRUE;
}

static void
hear_ack (GstIceMqttRoom *self, guint ack)
{
  Saying *saying;

  if (ack > self->n_said)
    return;
  while ((saying = g_queue_peek_head (&self->unheard)) != NULL &&
      saying->seq <= ack) {
    g_queue_pop_head (&self->unheard);
    self->unheard_size -= strlen (saying->line);
    saying_free (saying);
    self->n_said_again = 0;
  }
}

/* Calls */

static void
begin (
    GstIceMqttRoom *self, RoomState state, const gchar *peer, const gchar *call)
{
  g_autofree gchar *old_peer = g_steal_pointer (&self->peer);
  g_autofree gchar *old_call = g_steal_pointer (&self->call);

  self->state = state;
  self->peer = g_strdup (peer);
  self->call = g_strdup (call);
  self->n_said = self->n_heard = self->n_said_again = 0;
  self->gone_at = 0;
  g_queue_clear_full (&self->unheard, saying_free);
  self->unheard_size = 0;
}

/* Offers are for the caller to make: of two that may do either, the one with
 * the greater name calls. */
static gboolean
may_call (GstIceMqttRoom *self, const Member *member, gint64 now)
{
  const GstIceMqttRoomConfig *config = self->config;

  if (member->busy || now < member->not_before ||
      (config->peer != NULL && !g_str_equal (config->peer, member->id)))
    return FALSE;
  if (config->role == GST_ICE_SIGNALLER_ROLE_OFFER)
    return member->role != GST_ICE_SIGNALLER_ROLE_OFFER;
  return config->role == GST_ICE_SIGNALLER_ROLE_AUTO &&
      (member->role == GST_ICE_SIGNALLER_ROLE_ANSWER ||
          (member->role == GST_ICE_SIGNALLER_ROLE_AUTO &&
              strcmp (config->id, member->id) > 0));
}

/* One of those that may be called, any: or all would call the same. */
static Member *
choose (GstIceMqttRoom *self, gint64 now)
{
  Member *chosen = NULL;
  GHashTableIter iter;
  gpointer value;
  gint n = 0;

  g_hash_table_iter_init (&iter, self->members);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (may_call (self, value, now) && g_random_int_range (0, ++n) == 0)
      chosen = value;
  return chosen;
}

static void
seek (GstIceMqttRoom *self, gint64 now)
{
  g_autofree gchar *call = NULL;
  Member *member;

  if (self->state != ROOM_FREE || !self->connected || self->left)
    return;
  member = choose (self, now);
  if (member == NULL)
    return;
  GST_DEBUG ("calling %s", member->id);
  call = g_uuid_string_random ();
  begin (self, ROOM_CALLING, member->id, call);
  self->call_until = now + CALL_TIMEOUT;
  say (self, g_strdup ("{\"type\":\"call\"}"), now);
}

/* Nobody is spoken to any more. */
static void
hang_up (GstIceMqttRoom *self, gint64 not_before)
{
  Member *member = g_hash_table_lookup (self->members, self->peer);

  if (member != NULL)
    member->not_before = not_before;
  begin (self, ROOM_FREE, NULL, NULL);
}

static void
part (GstIceMqttRoom *self, const gchar *reason, gint64 now)
{
  GST_INFO ("%s is gone: %s", self->peer, reason != NULL ? reason : "");
  hang_up (self, now + BUSY_FOR);
  tell_presence (self);
  self->funcs->parted (self->user_data, reason);
}

static void
pair (GstIceMqttRoom *self, gboolean offerer)
{
  self->state = ROOM_PAIRED;
  GST_INFO ("met %s", self->peer);
  tell_presence (self);
  self->funcs->met (self->user_data, offerer);
}

/* What a message says of itself. */
typedef struct
{
  gchar *from, *call; /* (owned) */
  guint seq, ack;
  const gchar *text; /* (unowned) */
  gsize size;
} Message;

static void
message_clear (Message *self)
{
  g_free (self->from);
  g_free (self->call);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Message, message_clear)

static gboolean
message_parse (Message *self, const gchar *rest, gsize size)
{
  const gchar *end = memchr (rest, '\n', size);
  g_autofree gchar *head = NULL;
  g_auto (GStrv) words = NULL;
  guint64 seq, ack;

  if (end == NULL || (gsize) (end - rest) > 4 * MAX_ID)
    return FALSE;
  head = g_strndup (rest, (gsize) (end - rest));
  words = g_strsplit (head, " ", 5);
  if (g_strv_length (words) != 4 || !gst_ice_mqtt_is_id (words[0]) ||
      !gst_ice_mqtt_is_id (words[1]) ||
      !g_ascii_string_to_unsigned (words[2], 10, 0, G_MAXINT32, &seq, NULL) ||
      !g_ascii_string_to_unsigned (words[3], 10, 0, G_MAXINT32, &ack, NULL))
    return FALSE;
  self->from = g_strdup (words[0]);
  self->call = g_strdup (words[1]);
  self->seq = (guint) seq;
  self->ack = (guint) ack;
  self->text = end + 1;
  self->size = size - (gsize) (end + 1 - rest);
  return TRUE;
}

static gboolean
is_word (const Message *message, const gchar *line)
{
  return message->size == strlen (line) &&
      strncmp (message->text, line, message->size) == 0;
}

static void
refuse (GstIceMqttRoom *self, const Message *message, const gchar *line)
{
  send (self, message->from, message->call, 0, message->seq, line);
}

/* A call of somebody with whom we do not speak: whoever is here first stays. */
static void
take_call (GstIceMqttRoom *self, const Message *message, gint64 now)
{
  const GstIceMqttRoomConfig *config = self->config;

  if (self->state != ROOM_FREE || self->left ||
      config->role == GST_ICE_SIGNALLER_ROLE_OFFER ||
      (config->peer != NULL && !g_str_equal (config->peer, message->from))) {
    refuse (self, message, "{\"type\":\"busy\"}");
    return;
  }
  begin (self, ROOM_PAIRED, message->from, message->call);
  self->n_heard = 1;
  say (self, g_strdup ("{\"type\":\"yes\"}"), now);
  pair (self, FALSE);
}

/* Outside the numbers: the call is none. */
static void
take_refusal (GstIceMqttRoom *self, const Message *message, gint64 now)
{
  const gboolean busy = is_word (message, "{\"type\":\"busy\"}");

  if (!busy && !is_word (message, "{\"type\":\"gone\"}"))
    return;
  if (self->state == ROOM_PAIRED) {
    part (self, "gone", now);
  } else {
    hang_up (self, now + BUSY_FOR);
    seek (self, now);
  }
}

static void
take_line (GstIceMqttRoom *self, const Message *message, gint64 now)
{
  g_autoptr (GstIceLine) line = NULL;

  if (self->state == ROOM_CALLING) {
    if (is_word (message, "{\"type\":\"yes\"}"))
      pair (self, TRUE);
    return;
  }
  line = gst_ice_line_parse (message->text, message->size);
  if (line == NULL) {
    GST_INFO ("%s said what is no message", message->from);
    return;
  }
  if (line->kind == GST_ICE_LINE_BYE)
    part (self, line->text, now);
  else
    self->funcs->line (self->user_data, line);
}

/* Of the call we are in. */
static void
take_numbered (GstIceMqttRoom *self, const Message *message, gint64 now)
{
  g_autofree gchar *from = g_strdup (self->peer);
  g_autofree gchar *call = g_strdup (self->call);

  hear_ack (self, message->ack);
  if (message->seq == 0) {
    take_refusal (self, message, now);
    return;
  }
  /* What is missing before it will be said again, and it, too. */
  if (message->seq == self->n_heard + 1) {
    send (self, from, call, 0, ++self->n_heard, "");
    take_line (self, message, now);
  } else {
    send (self, from, call, 0, self->n_heard, "");
  }
}

static void
take_message (GstIceMqttRoom *self, const gchar *rest, gsize size, gint64 now)
{
  g_auto (Message) message = { 0 };

  if (!message_parse (&message, rest, size)) {
    GST_INFO ("a message without a head");
    return;
  }
  if (self->state != ROOM_FREE && g_str_equal (message.from, self->peer) &&
      g_str_equal (message.call, self->call))
    take_numbered (self, &message, now);
  else if (message.seq == 1 && is_word (&message, "{\"type\":\"call\"}"))
    take_call (self, &message, now);
  /* Nobody answers an answer. */
  else if (message.seq != 0)
    refuse (self, &message, "{\"type\":\"gone\"}");
}

/* Others come, go and change. */

static void
lose_member (GstIceMqttRoom *self, const gchar *id, gint64 now)
{
  if (self->state == ROOM_PAIRED && g_str_equal (id, self->peer) &&
      self->gone_at == 0)
    self->gone_at = now;
  g_hash_table_remove (self->members, id);
}

static void
take_presence (GstIceMqttRoom *self, const gchar *id, const gchar *rest,
    gsize size, gint64 now)
{
  g_autoptr (GstIceJson) json = gst_ice_json_parse (rest, size);
  Member *member;

  if (json == NULL || g_str_equal (id, self->config->id))
    return;
  member = g_hash_table_lookup (self->members, id);
  if (member == NULL) {
    if (g_hash_table_size (self->members) == MAX_MEMBERS)
      return;
    member = g_new0 (Member, 1);
    member->id = g_strdup (id);
    g_hash_table_insert (self->members, member->id, member);
  }
  member->role = role_of (gst_ice_json_get_string (json, "role"));
  member->busy = gst_ice_json_get_string (json, "with") != NULL;
  if (self->state != ROOM_FREE && g_str_equal (id, self->peer)) {
    self->gone_at = 0;
    /* It may have missed what was said while it was away. */
    say_all_again (self, now);
  }
  seek (self, now);
}

void
gst_ice_mqtt_room_take (GstIceMqttRoom *self, const gchar *topic,
    const gchar *payload, gsize size, gint64 now)
{
  const gboolean presence = g_str_has_prefix (topic, "at/");
  const gchar *rest;
  gsize rest_size = 0;

  if (self->left || (!presence && !g_str_has_prefix (topic, "to/")) ||
      !gst_ice_mqtt_is_id (topic + 3))
    return;
  /* Nobody signs a last will: an empty message is what a broker makes of a
   * broken connection, and can be believed as far as that, for a while. */
  if (presence && size == 0) {
    /* Of ourselves it comes late, of a connection before this one, or from
     * somebody who wants us away. */
    if (g_str_equal (topic + 3, self->config->id))
      tell_presence (self);
    else
      lose_member (self, topic + 3, now);
    return;
  }
  rest = open_payload (self, topic, payload, size, &rest_size);
  if (rest == NULL)
    GST_INFO ("a message that is not of this room");
  else if (presence)
    take_presence (self, topic + 3, rest, rest_size, now);
  else if (g_str_equal (topic + 3, self->config->id))
    take_message (self, rest, rest_size, now);
}

void
gst_ice_mqtt_room_connected (GstIceMqttRoom *self, gint64 now)
{
  self->connected = TRUE;
  tell_presence (self);
  if (self->state != ROOM_FREE)
    say_all_again (self, now);
  seek (self, now);
}

void
gst_ice_mqtt_room_disconnected (GstIceMqttRoom *self)
{
  self->connected = FALSE;
  self->gone_at = 0;
}

void
gst_ice_mqtt_room_leave (GstIceMqttRoom *self)
{
  g_autofree gchar *topic = g_strconcat ("at/", self->config->id, NULL);

  if (!self->left && self->connected)
    self->funcs->publish (self->user_data, topic, "", TRUE);
  self->left = TRUE;
}

void
gst_ice_mqtt_room_tick (GstIceMqttRoom *self, gint64 now)
{
  if (self->left || !self->connected)
    return;
  if (self->state == ROOM_CALLING && now >= self->call_until)
    hang_up (self, now + SILENT_FOR);
  if (self->state == ROOM_PAIRED && self->gone_at != 0 &&
      now - self->gone_at >= GRACE)
    part (self, "gone", now);
  if (self->unheard.length > 0 && now >= self->say_again_at) {
    if (self->n_said_again++ < MAX_SAID_AGAIN)
      say_all_again (self, now);
    else if (self->state == ROOM_PAIRED)
      part (self, "silent", now);
  }
  seek (self, now);
}
