/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rooms at a broker that is a function call: it loses what it is told to lose,
 * and strangers may publish there. The test owns the clock. */
#include "ext/mqtt/mqtturi.h"

#include <string.h>

GST_DEBUG_CATEGORY (ice_mqtt_debug);

#define BASE "calls/room"

typedef struct
{
  GPtrArray *clients;   /* (element-type Client) (unowned) */
  GHashTable *retained; /* (owned) topic -> payload */
  GQueue queue;         /* (owned) (element-type Parcel) */
  GRand *dice;          /* (owned) */
  guint loss;           /* of 100 */
  gint64 now;
} Exchange;

typedef struct
{
  gchar *topic, *payload; /* (owned) */
} Parcel;

typedef struct
{
  Exchange *exchange;
  GstIceMqttRoomConfig config;
  GstIceMqttRoom *room;
  GString *heard; /* (owned) "met offerer; offer x; ..." */
} Client;

static void
exchange_publish (
    Exchange *self, const gchar *topic, const gchar *payload, gboolean retain)
{
  Parcel *parcel = g_new0 (Parcel, 1);

  if (retain && *payload != '\0')
    g_hash_table_insert (self->retained, g_strdup (topic), g_strdup (payload));
  else if (retain)
    g_hash_table_remove (self->retained, topic);
  parcel->topic = g_strdup (topic);
  parcel->payload = g_strdup (payload);
  g_queue_push_tail (&self->queue, parcel);
}

static void
client_take (Client *self, const gchar *topic, const gchar *payload)
{
  g_autofree gchar *inbox = g_strconcat ("to/", self->config.id, NULL);

  if (g_str_has_prefix (topic, "at/") || g_str_equal (topic, inbox))
    gst_ice_mqtt_room_take (
        self->room, topic, payload, strlen (payload), self->exchange->now);
}

/* Until nothing is under way. */
static void
exchange_run (Exchange *self)
{
  Parcel *parcel;
  guint i, n = 0;

  while ((parcel = g_queue_pop_head (&self->queue)) != NULL) {
    g_assert_cmpuint (++n, <, 100000);
    if ((guint) g_rand_int_range (self->dice, 0, 100) >= self->loss)
      for (i = 0; i < self->clients->len; i++)
        client_take (self->clients->pdata[i], parcel->topic, parcel->payload);
    g_free (parcel->topic);
    g_free (parcel->payload);
    g_free (parcel);
  }
}

static void
exchange_run_for (Exchange *self, gint64 time)
{
  const gint64 end = self->now + time;
  guint i;

  exchange_run (self);
  while (self->now < end) {
    self->now += G_TIME_SPAN_SECOND / 4;
    for (i = 0; i < self->clients->len; i++)
      gst_ice_mqtt_room_tick (
          ((Client *) self->clients->pdata[i])->room, self->now);
    exchange_run (self);
  }
}

static void
exchange_init (Exchange *self)
{
  memset (self, 0, sizeof *self);
  self->clients = g_ptr_array_new ();
  self->retained =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->dice = g_rand_new_with_seed ((guint32) g_test_rand_int ());
  self->now = G_TIME_SPAN_HOUR;
}

static void
exchange_clear (Exchange *self)
{
  exchange_run (self);
  g_ptr_array_unref (self->clients);
  g_hash_table_unref (self->retained);
  g_rand_free (self->dice);
}

static void
on_publish (
    gpointer data, const gchar *topic, const gchar *payload, gboolean retain)
{
  exchange_publish (((Client *) data)->exchange, topic, payload, retain);
}

static void
on_met (gpointer data, gboolean offerer)
{
  g_string_append_printf (
      ((Client *) data)->heard, "met %s; ", offerer ? "offerer" : "answerer");
}

static void
on_line (gpointer data, const GstIceLine *line)
{
  g_string_append_printf (((Client *) data)->heard, "%s; ", line->text);
}

static void
on_parted (gpointer data, const gchar *reason)
{
  g_string_append_printf (((Client *) data)->heard, "parted %s; ", reason);
}

static const GstIceMqttRoomFuncs funcs = { on_publish, on_met, on_line,
  on_parted };

static void
client_init (Client *self, Exchange *exchange, const gchar *id,
    GstIceSignallerRole role, const gchar *secret)
{
  GHashTableIter iter;
  gpointer topic, payload;

  memset (self, 0, sizeof *self);
  self->exchange = exchange;
  self->config.base = g_strdup (BASE);
  self->config.id = g_strdup (id);
  self->config.role = role;
  self->config.secret = g_strdup (secret);
  self->heard = g_string_new (NULL);
  self->room = gst_ice_mqtt_room_new (&self->config, &funcs, self);
  g_ptr_array_add (exchange->clients, self);
  gst_ice_mqtt_room_connected (self->room, exchange->now);
  g_hash_table_iter_init (&iter, exchange->retained);
  while (g_hash_table_iter_next (&iter, &topic, &payload))
    client_take (self, topic, payload);
}

static void
client_clear (Client *self)
{
  gst_ice_mqtt_room_leave (self->room);
  g_ptr_array_remove (self->exchange->clients, self);
  gst_ice_mqtt_room_free (self->room);
  g_string_free (self->heard, TRUE);
  g_free (self->config.base);
  g_free (self->config.id);
  g_free (self->config.secret);
}

static void
client_say (Client *self, const gchar *text)
{
  gchar *line = g_strdup_printf ("{\"type\":\"offer\",\"sdp\":\"%s\"}", text);

  g_assert_true (gst_ice_mqtt_room_say (self->room, line, self->exchange->now));
}

static void
assert_heard (Client *self, const gchar *text)
{
  g_assert_cmpstr (self->heard->str, ==, text);
  g_string_truncate (self->heard, 0);
}

static void
two (Exchange *exchange, Client *a, Client *b, const gchar *secret)
{
  exchange_init (exchange);
  client_init (b, exchange, "bob", GST_ICE_SIGNALLER_ROLE_ANSWER, secret);
  client_init (a, exchange, "alice", GST_ICE_SIGNALLER_ROLE_AUTO, secret);
  exchange_run (exchange);
  assert_heard (a, "met offerer; ");
  assert_heard (b, "met answerer; ");
}

static void
end (Exchange *exchange, Client *a, Client *b)
{
  client_clear (a);
  client_clear (b);
  exchange_clear (exchange);
}

static void
test_pairing (gconstpointer all_alike)
{
  enum
  {
    N = 24
  };
  Client clients[N];
  Exchange exchange;

  g_test_summary ("Of many in one room each finds one");
  exchange_init (&exchange);
  for (guint i = 0; i < N; i++) {
    g_autofree gchar *id = g_strdup_printf ("peer%u", i);

    client_init (&clients[i], &exchange, id,
        all_alike != NULL ? GST_ICE_SIGNALLER_ROLE_AUTO
            : i % 2 == 0  ? GST_ICE_SIGNALLER_ROLE_OFFER
                          : GST_ICE_SIGNALLER_ROLE_ANSWER,
        NULL);
    if (i % 7 == 0)
      exchange_run (&exchange);
  }
  exchange_run_for (&exchange, 20 * G_TIME_SPAN_SECOND);
  for (guint i = 0; i < N; i++)
    g_assert_true (g_str_equal (clients[i].heard->str, "met offerer; ") ||
        g_str_equal (clients[i].heard->str, "met answerer; "));
  for (guint i = 0; i < N; i++)
    client_clear (&clients[i]);
  exchange_clear (&exchange);
}

static void
test_loss (void)
{
  g_autoptr (GString) said = g_string_new (NULL);
  Exchange exchange;
  Client a, b;

  g_test_summary ("Whatever is lost is said again: once, in order");
  two (&exchange, &a, &b, "key");
  exchange.loss = 40;
  for (guint i = 0; i < 30; i++) {
    g_autofree gchar *text = g_strdup_printf ("line%u", i);

    client_say (&a, text);
    g_string_append_printf (said, "%s; ", text);
  }
  exchange_run_for (&exchange, 58 * G_TIME_SPAN_SECOND);
  exchange.loss = 0;
  exchange_run_for (&exchange, 4 * G_TIME_SPAN_SECOND);
  assert_heard (&b, said->str);
  assert_heard (&a, "");
  end (&exchange, &a, &b);
}

static void
test_silent (void)
{
  Exchange exchange;
  Client a, b;

  g_test_summary ("A peer that hears nothing for a minute is none; who was "
                  "never heard of holds no more than its share");
  two (&exchange, &a, &b, NULL);
  exchange.loss = 100;
  client_say (&a, "anybody");
  exchange_run_for (&exchange, 59 * G_TIME_SPAN_SECOND);
  assert_heard (&a, "");
  exchange_run_for (&exchange, 5 * G_TIME_SPAN_SECOND);
  g_assert_true (g_str_has_prefix (a.heard->str, "parted silent; "));
  end (&exchange, &a, &b);

  two (&exchange, &a, &b, NULL);
  exchange.loss = 100;
  for (guint i = 0; i < 512; i++)
    client_say (&a, "x");
  g_assert_false (
      gst_ice_mqtt_room_say (a.room, g_strdup ("{}"), exchange.now));
  end (&exchange, &a, &b);
}

/* What a stranger at the broker tries while two speak. */
static void
attack (Exchange *exchange, const gchar *mac)
{
  static const gchar *const rests[] = {
    "mallory c1 1 0\n{\"type\":\"call\"}",
    "mallory c1 2 0\n{\"type\":\"bye\",\"reason\":\"forged\"}",
    "alice c1 1 0\n{\"type\":\"call\"}",
    "alice c1 1 0\n{\"type\":\"bye\",\"reason\":\"forged\"}",
    "alice c1 0 0\n{\"type\":\"gone\"}",
    "alice c1 0 0\n{\"type\":\"busy\"}",
    "bob c1 1 0\n{\"type\":\"call\"}",
    "alice",
    "alice c1 1\n{}",
    "alice c1 -1 0\n{}",
    "alice c1 99999999999 0\n{}",
    "al/ce c1 1 0\n{\"type\":\"call\"}",
    " \n",
    "\n",
    "",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rests); i++) {
    g_autofree gchar *payload = g_strconcat (mac, " ", rests[i], NULL);

    exchange_publish (exchange, "to/bob", payload, FALSE);
    exchange_publish (exchange, "to/bob", rests[i], FALSE);
    exchange_publish (exchange, "at/mallory", payload, TRUE);
    exchange_run (exchange);
  }
}

static void
test_takeover (void)
{
  Exchange exchange;
  Client a, b, c;

  g_test_summary ("3.26: who is here first stays; who is not of the call "
                  "changes nothing in it");
  two (&exchange, &a, &b, NULL);
  client_init (&c, &exchange, "carol", GST_ICE_SIGNALLER_ROLE_OFFER, NULL);
  attack (&exchange, "-");
  exchange_run_for (&exchange, 5 * G_TIME_SPAN_SECOND);
  assert_heard (&a, "");
  assert_heard (&b, "");
  assert_heard (&c, "");
  client_say (&a, "one");
  client_say (&b, "two");
  exchange_run (&exchange);
  assert_heard (&b, "one; ");
  assert_heard (&a, "two; ");
  client_clear (&c);
  end (&exchange, &a, &b);
}

static gchar *overheard;

static void
test_secret (void)
{
  Exchange exchange;
  Client a, b, mallory;
  Parcel *parcel;

  g_test_summary ("3.26: without the room's secret nobody is met, and nothing "
                  "of a call can be forged or said again");
  two (&exchange, &a, &b, "key");
  client_init (
      &mallory, &exchange, "mallory", GST_ICE_SIGNALLER_ROLE_OFFER, "kez");
  attack (&exchange, "-");
  attack (&exchange,
      "0123456789012345678901234567890123456789012345678901234"
      "567890123");
  client_say (&a, "one");
  parcel = g_queue_peek_tail (&exchange.queue);
  overheard = g_strdup (parcel->payload);
  exchange_run (&exchange);
  assert_heard (&b, "one; ");
  /* Again, to another, and with another end. */
  exchange_publish (&exchange, "to/bob", overheard, FALSE);
  exchange_publish (&exchange, "to/alice", overheard, FALSE);
  overheard[strlen (overheard) - 3] ^= 1;
  exchange_publish (&exchange, "to/bob", overheard, FALSE);
  exchange_run_for (&exchange, 5 * G_TIME_SPAN_SECOND);
  assert_heard (&a, "");
  assert_heard (&b, "");
  assert_heard (&mallory, "");
  g_clear_pointer (&overheard, g_free);
  client_clear (&mallory);
  end (&exchange, &a, &b);
}

static void
test_presence (void)
{
  Exchange exchange;
  Client a, b;

  g_test_summary ("Who is declared gone and is not says so; who is, is missed "
                  "after five seconds");
  two (&exchange, &a, &b, "key");
  exchange_publish (&exchange, "at/bob", "", TRUE);
  exchange_publish (&exchange, "at/alice", "", TRUE);
  exchange_run_for (&exchange, 10 * G_TIME_SPAN_SECOND);
  assert_heard (&a, "");
  assert_heard (&b, "");
  g_assert_nonnull (g_hash_table_lookup (exchange.retained, "at/bob"));

  g_ptr_array_remove (exchange.clients, &b);
  exchange_publish (&exchange, "at/bob", "", TRUE);
  exchange_run_for (&exchange, 4 * G_TIME_SPAN_SECOND);
  assert_heard (&a, "");
  exchange_run_for (&exchange, 2 * G_TIME_SPAN_SECOND);
  assert_heard (&a, "parted gone; ");
  end (&exchange, &a, &b);
}

static void
test_bounds (void)
{
  g_autofree gchar *large = g_strnfill (200 * 1024, 'x');
  g_autofree gchar *nul = g_strdup ("- alice c 1 0\n{}");
  Exchange exchange;
  Client a, b, c;

  g_test_summary ("Ten thousand members, messages of 200 kB, ids that are "
                  "none");
  two (&exchange, &a, &b, NULL);
  for (guint i = 0; i < 10000; i++) {
    g_autofree gchar *topic = g_strdup_printf ("at/ghost%u", i);

    client_take (&b, topic, "- {\"type\":\"hello\",\"role\":\"offer\"}");
  }
  memcpy (large, "- ", 2);
  client_take (&b, "to/bob", large);
  nul[4] = '\0';
  gst_ice_mqtt_room_take (b.room, "to/bob", nul, 16, exchange.now);
  client_take (&b, "at/", "- {}");
  client_take (&b, "at/a/b", "- {}");
  client_take (&b, "at/#", "- {}");
  gst_ice_mqtt_room_take (b.room, "nowhere", "- {}", 4, exchange.now);
  gst_ice_mqtt_room_take (b.room, "", "", 0, exchange.now);
  exchange_run (&exchange);
  client_say (&a, "one");
  exchange_run (&exchange);
  assert_heard (&b, "one; ");
  client_init (&c, &exchange, "carol", GST_ICE_SIGNALLER_ROLE_AUTO, NULL);
  client_clear (&c);
  end (&exchange, &a, &b);
}

static void
test_uris (void)
{
  static const gchar *const bad[] = { "ice+mqtts://", "ice+mqtts:///room",
    "ice+mqtts://h", "ice+mqtts://h/", "ice+mqtts://h/a/",
    "ice+mqtts://h/a/%23", "ice+mqtts://h/+/a", "ice+mqtts://h/$SYS/a",
    "ice+mqtts://h/a%00b", "ice+mqtts://h/a%0ab",
    "ice+mqtts://h/a?id=", "ice+mqtts://h/a?id=a/b", "ice+mqtts://h/a?peer=%23",
    "ice+mqtts://h/a?role=boss", "ice+mqtts://h/a?what=s3cret",
    "ice+mqtts://h/a?secret=", "ice+mqtt://example.org/a",
    "ice+mqtt://192.0.2.1/a", "ice+mqtt://example.org/a?insecure=no",
    "mqtt://h/a", "ice+mqtts://h:x/a" };
  g_autoptr (GstIceMqttUri) uri = NULL;
  g_autofree gchar *long_one = NULL, *path = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_assert_null (gst_ice_mqtt_uri_parse (bad[i], &error));
    g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI);
    g_assert_null (strstr (error->message, "s3cret"));
    g_clear_error (&error);
  }
  path = g_strnfill (600, 'a');
  long_one = g_strconcat ("ice+mqtts://h/", path, NULL);
  g_assert_null (gst_ice_mqtt_uri_parse (long_one, &error));
  g_clear_error (&error);

  uri = gst_ice_mqtt_uri_parse ("ice+mqtts://al%3Aice:s3%40:cret@[2001:db8::1]/"
                                "a%20b/c?id=me&peer=you&role=offer&secret=k%26y"
                                "&ca-file=%2Ftmp%2Fca.pem",
      &error);
  g_assert_no_error (error);
  g_assert_cmpstr (uri->host, ==, "2001:db8::1");
  g_assert_cmpuint (uri->port, ==, 8883);
  g_assert_cmpstr (uri->user, ==, "al:ice");
  g_assert_cmpstr (uri->password, ==, "s3@:cret");
  g_assert_cmpstr (uri->room.base, ==, "a b/c");
  g_assert_cmpstr (uri->room.id, ==, "me");
  g_assert_cmpstr (uri->room.peer, ==, "you");
  g_assert_cmpstr (uri->room.secret, ==, "k&y");
  g_assert_cmpstr (uri->ca_file, ==, "/tmp/ca.pem");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  GST_DEBUG_CATEGORY_INIT (ice_mqtt_debug, "ice-mqtt", 0, "Meeting by MQTT");
  g_test_add_data_func ("/mqtt-room/pairing", NULL, test_pairing);
  g_test_add_data_func ("/mqtt-room/pairing/alike", "", test_pairing);
  g_test_add_func ("/mqtt-room/loss", test_loss);
  g_test_add_func ("/mqtt-room/silent", test_silent);
  g_test_add_func ("/mqtt-room/takeover", test_takeover);
  g_test_add_func ("/mqtt-room/secret", test_secret);
  g_test_add_func ("/mqtt-room/presence", test_presence);
  g_test_add_func ("/mqtt-room/bounds", test_bounds);
  g_test_add_func ("/mqtt-room/uris", test_uris);
  return g_test_run ();
}
