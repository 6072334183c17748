/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Multicast on the loopback interface, which Linux does although it does not
 * say so; and a stranger on port 5353 of the same host, who hears and says what
 * others on a link would. As root in a network of its own, with a cable for
 * IPv6, which has no multicast on the loopback interface. */
#ifdef __linux__
#include <sched.h>
#endif
#include <gio/gio.h>
#include <gst/gst.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "gst/ice/io/mdns-message.h"
#include "gst/ice/io/mdns.h"
#include "gst/ice/io/on-link.h"
#include "io-support.h"

static const gchar ours[] = "1f4712db-ea17-4bcf-a596-105139dfd8bf.local";
static const gchar theirs[] = "2579ef4b-50ae-4bfe-95af-70b3376ecb9c.local";

/* A resolver that knows one name under local. */

#define TEST_TYPE_RESOLVER (test_resolver_get_type ())
G_DECLARE_FINAL_TYPE (TestResolver, test_resolver, TEST, RESOLVER, GResolver)

struct _TestResolver
{
  GResolver parent;
  gint n_asked; /* (atomic) */
};

G_DEFINE_TYPE (TestResolver, test_resolver, G_TYPE_RESOLVER)

static TestResolver *resolver;

static void
free_addresses (gpointer data)
{
  g_resolver_free_addresses (data);
}

static void
test_resolver_look_up (GResolver *self, const gchar *host,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_atomic_int_inc (&TEST_RESOLVER (self)->n_asked);
  if (strcmp (host, "known-elsewhere.local") == 0)
    g_task_return_pointer (task,
        g_list_append (NULL, g_inet_address_new_from_string ("192.0.2.9")),
        free_addresses);
  else
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
        "no such name: %s", host);
}

static GList *
test_resolver_finish (GResolver *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_resolver_class_init (TestResolverClass *klass)
{
  GResolverClass *resolver_class = G_RESOLVER_CLASS (klass);

  resolver_class->lookup_by_name_async = test_resolver_look_up;
  resolver_class->lookup_by_name_finish = test_resolver_finish;
}

static void
test_resolver_init (TestResolver *self)
{
}

static IceInterface
interface_of (const gchar *ip)
{
  IceInterface interface = { .loopback = TRUE };

  g_assert_true (ice_address_parse (&interface.address, ip, 0));
  g_strlcpy (interface.name,
      interface.address.family == ICE_FAMILY_IPV6 ? "cable" : "lo",
      sizeof interface.name);
  interface.index = if_nametoindex (interface.name);
  return interface;
}

/* One look-up */

typedef struct
{
  IceLoop *loop; /* (owned) */
  const gchar *name;
  IceInterface interface;
  IceTime timeout, started_at, took;
  gboolean cancel_at_once;

  IceMdnsLookup *lookup;
  guint n_answers, n_addresses;
  IceAddress address;
  gchar *error; /* (owned) (nullable) */
} Question;

static void
question_answered (const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data)
{
  Question *self = user_data;

  g_assert_true (ice_loop_is_current (self->loop));
  io_lock ();
  self->n_answers++;
  self->n_addresses = n_addresses;
  if (n_addresses > 0)
    self->address = addresses[0];
  self->error = error ? g_strdup (error->message) : NULL;
  self->took = ice_loop_now () - self->started_at;
  io_unlock ();
}

static void
question_start (gpointer user_data)
{
  Question *self = user_data;

  self->started_at = ice_loop_now ();
  self->lookup = ice_mdns_lookup_start (self->loop, self->name, 4000,
      &self->interface, 1, self->timeout, question_answered, self);
  if (self->cancel_at_once)
    ice_mdns_lookup_cancel (self->lookup);
}

static void
question_ask (Question *self, const gchar *name)
{
  self->name = name;
  if (self->timeout == 0)
    self->timeout = 5 * ICE_SECOND;
  if (self->interface.index == 0)
    self->interface = interface_of ("127.0.0.1");
  self->loop = ice_loop_acquire ();
  io_run (self->loop, question_start, self);
}

static void
question_wait (Question *self)
{
  io_lock ();
  io_wait_for (self->n_answers > 0);
  g_assert_cmpuint (self->n_answers, ==, 1);
  io_unlock ();
}

static void
question_end (Question *self)
{
  ice_loop_unref (self->loop);
  g_free (self->error);
}

static void
assert_address (const Question *self, const gchar *ip)
{
  gchar buffer[ICE_ADDRESS_STRLEN];

  g_assert_cmpuint (self->n_addresses, ==, 1);
  g_assert_cmpstr (ice_address_ip_to_string (&self->address, buffer), ==, ip);
  g_assert_cmpuint (self->address.port, ==, 4000);
  g_assert_null (self->error);
}

/* The stranger */

static GSocket *
stranger_new (void)
{
  g_autoptr (GInetAddress) group =
      g_inet_address_new_from_string ("224.0.0.251");
  g_autoptr (GSocketAddress) local =
      g_inet_socket_address_new (group, ICE_MDNS_PORT);
  g_autoptr (GInetAddress) own = g_inet_address_new_from_string ("127.0.0.1");
  g_autoptr (GSocket) self = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  gint32 interface;

  memcpy (&interface, g_inet_address_to_bytes (own), sizeof interface);
  g_socket_set_timeout (self, 10);
  if (!g_socket_bind (self, local, TRUE, NULL) ||
      !g_socket_join_multicast_group (self, group, FALSE, "lo", NULL) ||
      !g_socket_set_option (self, IPPROTO_IP, IP_MULTICAST_IF, interface, NULL))
    return NULL;
  return g_steal_pointer (&self);
}

static void
stranger_say (GSocket *self, IcePacket *packet)
{
  g_autoptr (GSocketAddress) group =
      g_inet_socket_address_new_from_string ("224.0.0.251", ICE_MDNS_PORT);

  g_assert_cmpint (g_socket_send_to (self, group, (gchar *) packet->data,
                       packet->size, NULL, NULL),
      ==, packet->size);
  ice_packet_unref (packet);
}

/* The next message that says or asks something of @name. */
static void
stranger_hear (GSocket *self, const gchar *name, gboolean is_response,
    IceMdnsMessage *ret_message)
{
  for (;;) {
    gchar buffer[2048];
    gssize size = g_socket_receive (self, buffer, sizeof buffer, NULL, NULL);

    g_assert_cmpint (size, >, 0);
    g_assert_true (ice_mdns_parse (ret_message, ICE_BYTES (buffer, size)));
    if (ret_message->is_response != is_response)
      continue;
    if (is_response && ret_message->n_records > 0 &&
        strcmp (ret_message->records[0].name, name) == 0)
      return;
    if (!is_response && ret_message->n_questions > 0 &&
        strcmp (ret_message->questions[0].name, name) == 0)
      return;
  }
}

static IcePacket *
make_response (const gchar *name, const gchar *ip, guint32 ttl)
{
  IceMdnsAnswer answer = { .name = name, .ttl = ttl };

  g_assert_true (ice_address_parse (&answer.address, ip, 0));
  return ice_mdns_response_new (&answer);
}

static gboolean own_network;

static void
enter_own_network (void)
{
#ifdef __linux__
  static const gchar script[] =
      "ip link set lo up && ip link add cable type veth peer name end && "
      "ip link set end up && ip link set cable up && "
      "ip address add fd00::1/64 dev cable nodad";
  const gchar *argv[] = { "/bin/sh", "-c", script, NULL };
  gint status;

  if (unshare (CLONE_NEWNET) == 0)
    own_network = g_spawn_sync (NULL, (gchar **) argv, NULL, 0, NULL, NULL,
                      NULL, NULL, &status, NULL) &&
        g_spawn_check_wait_status (status, NULL);
#endif
}

static gboolean
skip_without_multicast (void)
{
  g_autoptr (GSocket) stranger = stranger_new ();

  if (stranger)
    return FALSE;
  g_test_skip ("no multicast on the loopback interface");
  return TRUE;
}

/* Tests */

static void
test_found (gconstpointer ip)
{
  IceInterface interface = interface_of (ip);
  Question question = { .interface = interface };
  IceMdnsName *name;

  if (skip_without_multicast ())
    return;
  if (interface.address.family == ICE_FAMILY_IPV6 && !own_network) {
    g_test_skip ("IPv6 multicast needs root, for a network of its own");
    return;
  }
  name = ice_mdns_publish (ours, &interface);
  g_assert_nonnull (name);
  /* RFC 1035 2.3.3: case makes no difference. */
  question_ask (&question, "1F4712DB-ea17-4bcf-a596-105139dfd8bf.Local");
  question_wait (&question);
  assert_address (&question, ip);
  g_test_message ("%" G_GINT64_FORMAT " us", question.took);
  g_assert_cmpint (question.took, <, 300 * ICE_MSEC);
  ice_mdns_withdraw (name);
  question_end (&question);
  io_wait_for_no_threads ();
}

/* Chromium answers to the group whoever asks. */
static void
test_group_answer (void)
{
  g_autoptr (GSocket) stranger = NULL;
  Question question = { 0 };
  IceMdnsMessage message;

  if (skip_without_multicast ())
    return;
  stranger = stranger_new ();
  question_ask (&question, theirs);
  stranger_hear (stranger, theirs, FALSE, &message);
  g_assert_cmpuint (message.n_questions, ==, 2);
  g_assert_true (message.questions[0].unicast);
  stranger_say (stranger, make_response (theirs, "192.0.2.7", 120));
  question_wait (&question);
  assert_address (&question, "192.0.2.7");
  question_end (&question);
  io_wait_for_no_threads ();
}

/* A goodbye and a record of another name are no answers. */
static void
test_not_answers (void)
{
  g_autoptr (GSocket) stranger = NULL;
  Question question = { 0 };
  IceMdnsMessage message;

  if (skip_without_multicast ())
    return;
  stranger = stranger_new ();
  question_ask (&question, theirs);
  stranger_hear (stranger, theirs, FALSE, &message);
  stranger_say (stranger, make_response (theirs, "192.0.2.1", 0));
  stranger_say (stranger, make_response (ours, "192.0.2.2", 120));
  stranger_say (stranger, make_response (theirs, "192.0.2.3", 120));
  question_wait (&question);
  assert_address (&question, "192.0.2.3");
  question_end (&question);
  io_wait_for_no_threads ();
}

/* The mDNS draft, 3.2.2: the caller sees that it was more than one. */
static void
test_two_addresses (void)
{
  /* One response, two A records. */
  static const gchar response[] = "\0\0\x84\0\0\0\0\2\0\0\0\0\3two\5local\0"
                                  "\0\1\x80\1\0\0\0\x78\0\4\xc0\0\2\1"
                                  "\xc0\x0c\0\1\x80\1\0\0\0\x78\0\4\xc0\0\2\2";
  g_autoptr (GSocket) stranger = NULL;
  Question question = { 0 };
  IceMdnsMessage message;

  if (skip_without_multicast ())
    return;
  stranger = stranger_new ();
  question_ask (&question, "two.local");
  stranger_hear (stranger, "two.local", FALSE, &message);
  stranger_say (stranger,
      ice_packet_new_from (ICE_BYTES (response, sizeof response - 1)));
  question_wait (&question);
  g_assert_cmpuint (question.n_addresses, ==, 2);
  question_end (&question);
  io_wait_for_no_threads ();
}

static void
test_second_try (void)
{
  Question question = { .name = NULL };

  question_ask (&question, "known-elsewhere.local");
  question_wait (&question);
  assert_address (&question, "192.0.2.9");
  g_assert_cmpint (question.took, >=, 300 * ICE_MSEC);
  question_end (&question);
  io_wait_for_no_threads ();
}

static void
test_nobody (void)
{
  Question question = { .timeout = 400 * ICE_MSEC };
  gint before = g_atomic_int_get (&resolver->n_asked);

  question_ask (&question, theirs);
  question_wait (&question);
  g_assert_cmpuint (question.n_addresses, ==, 0);
  g_assert_nonnull (strstr (question.error, theirs));
  g_assert_cmpint (question.took, >=, 400 * ICE_MSEC);
  g_assert_cmpint (g_atomic_int_get (&resolver->n_asked), ==, before + 1);
  question_end (&question);
  io_wait_for_no_threads ();
}

/* Neither is put into a question nor asked of GResolver. */
static void
test_insane_name (void)
{
  Question question = { 0 };
  gint before = g_atomic_int_get (&resolver->n_asked);

  question_ask (&question, "two.labels.local");
  question_wait (&question);
  g_assert_cmpuint (question.n_addresses, ==, 0);
  g_assert_cmpint (g_atomic_int_get (&resolver->n_asked), ==, before);
  question_end (&question);
  g_assert_null (ice_mdns_publish ("two.labels.local", &question.interface));
  io_wait_for_no_threads ();
}

static void
test_cancel (void)
{
  guint n_fds;

  io_wait_for_no_threads ();
  n_fds = io_count_fds ();
  for (guint i = 0; i < 20; i++) {
    Question question = { .cancel_at_once = TRUE };

    question_ask (&question, theirs);
    g_assert_cmpuint (question.n_answers, ==, 0);
    question_end (&question);
    io_wait_for_no_threads ();
  }
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

/* RFC 6762 5.2: once, and a second later. */
static void
test_asks_again (void)
{
  g_autoptr (GSocket) stranger = NULL;
  Question question = { .timeout = 2 * ICE_SECOND };
  IceMdnsMessage message;
  IceTime first;

  if (skip_without_multicast ())
    return;
  stranger = stranger_new ();
  question_ask (&question, theirs);
  stranger_hear (stranger, theirs, FALSE, &message);
  first = ice_loop_now ();
  stranger_hear (stranger, theirs, FALSE, &message);
  g_assert_cmpint (ice_loop_now () - first, >=, 900 * ICE_MSEC);
  question_wait (&question);
  question_end (&question);
  io_wait_for_no_threads ();
}

/* RFC 6762 8.3 and 10.1. */
static void
test_announced_and_withdrawn (void)
{
  g_autoptr (GSocket) stranger = NULL;
  IceInterface interface = interface_of ("127.0.0.1");
  IceMdnsMessage message;
  IceMdnsName *name;
  IceTime first;

  if (skip_without_multicast ())
    return;
  stranger = stranger_new ();
  name = ice_mdns_publish (ours, &interface);
  stranger_hear (stranger, ours, TRUE, &message);
  first = ice_loop_now ();
  g_assert_cmpuint (message.records[0].ttl, ==, 120);
  g_assert_true (
      ice_address_same_ip (&message.records[0].address, &interface.address));
  stranger_hear (stranger, ours, TRUE, &message);
  g_assert_cmpint (ice_loop_now () - first, >=, 900 * ICE_MSEC);
  ice_mdns_withdraw (name);
  stranger_hear (stranger, ours, TRUE, &message);
  g_assert_cmpuint (message.records[0].ttl, ==, 0);
  io_wait_for_no_threads ();
}

static void
publish_and_withdraw (gpointer user_data)
{
  const IceInterface *interface = user_data;

  ice_mdns_withdraw (ice_mdns_publish (ours, interface));
}

/* Both from the loop that answers for names, which has not begun by then. */
static void
test_withdrawn_at_once (void)
{
  g_autoptr (IceLoop) one = ice_loop_acquire ();
  g_autoptr (IceLoop) other = ice_loop_acquire ();
  IceInterface interface = interface_of ("127.0.0.1");

  if (skip_without_multicast ())
    return;
  for (guint i = 0; i < 10; i++) {
    io_run (one, publish_and_withdraw, &interface);
    io_run (other, publish_and_withdraw, &interface);
  }
  g_clear_pointer (&one, ice_loop_unref);
  g_clear_pointer (&other, ice_loop_unref);
  io_wait_for_no_threads ();
}

/* RFC 6762 6: by multicast once a second, whoever asks and how often; 5.4: and
 * 9: who claims the name is told otherwise, as rarely. */
static void
test_rate_and_defence (void)
{
  g_autoptr (GSocket) stranger = NULL;
  IceInterface interface = interface_of ("127.0.0.1");
  IceMdnsMessage message;
  IceMdnsName *name;
  IceTime last;

  if (skip_without_multicast ())
    return;
  stranger = stranger_new ();
  name = ice_mdns_publish (ours, &interface);
  stranger_hear (stranger, ours, TRUE, &message);
  last = ice_loop_now ();
  for (guint i = 0; i < 20; i++) {
    stranger_say (stranger, ice_mdns_query_new (0, ours, FALSE));
    stranger_say (stranger, make_response (ours, "192.0.2.66", 120));
  }
  /* What is heard next of the address that is right. */
  do {
    stranger_hear (stranger, ours, TRUE, &message);
  } while (
      !ice_address_same_ip (&message.records[0].address, &interface.address));
  g_assert_cmpint (ice_loop_now () - last, >=, 900 * ICE_MSEC);
  ice_mdns_withdraw (name);
  io_wait_for_no_threads ();
}

/* RFC 6762 11: "the source address of the query is on the local link", by the
 * prefixes of that interface. */
static void
test_on_link (void)
{
  static const struct
  {
    const gchar *interface, *ip;
    gboolean near;
  } rows[] = {
    { "lo", "127.0.0.1", TRUE },
    { "lo", "127.200.3.4", TRUE },
    { "lo", "192.0.2.1", FALSE },
    { "lo", "8.8.8.8", FALSE },
    { "lo", "169.254.7.7", TRUE },
    { "lo", "2001:db8::1", FALSE },
    { "lo", "fd00::99", FALSE },
    { "cable", "fd00::99", TRUE },
    { "cable", "fd00:0:0:1::99", FALSE },
    { "cable", "127.0.0.1", FALSE },
  };
  IceAddress scoped;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const guint index = if_nametoindex (rows[i].interface);
    IceAddress address;

    if (index == 0)
      continue;
    g_test_message ("%s on %s", rows[i].ip, rows[i].interface);
    g_assert_true (ice_address_parse (&address, rows[i].ip, 5353));
    g_assert_cmpint (ice_is_on_link (index, &address), ==, rows[i].near);
  }
  g_assert_true (ice_address_parse (&scoped, "fe80::1", 5353));
  scoped.scope = 7;
  g_assert_true (ice_is_on_link (7, &scoped));
  g_assert_false (ice_is_on_link (8, &scoped));
}

/* RFC 6762 6: an answer by multicast to who asks for that. */
static void
test_multicast_answer (void)
{
  g_autoptr (GSocket) stranger = NULL;
  IceInterface interface = interface_of ("127.0.0.1");
  IceMdnsMessage message;
  IceMdnsName *name;
  IceTime last;

  if (skip_without_multicast ())
    return;
  stranger = stranger_new ();
  name = ice_mdns_publish (ours, &interface);
  stranger_hear (stranger, ours, TRUE, &message);
  stranger_hear (stranger, ours, TRUE, &message);
  last = ice_loop_now ();
  /* A third comes only because it is asked for. */
  while (ice_loop_now () - last < 1100 * ICE_MSEC)
    g_usleep (20 * 1000);
  stranger_say (stranger, ice_mdns_query_new (0, ours, FALSE));
  stranger_hear (stranger, ours, TRUE, &message);
  g_assert_cmpuint (message.records[0].ttl, ==, 120);
  ice_mdns_withdraw (name);
  io_wait_for_no_threads ();
}

int
main (int argc, char **argv)
{
  enter_own_network ();
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  resolver = g_object_new (TEST_TYPE_RESOLVER, NULL);
  g_resolver_set_default (G_RESOLVER (resolver));

  g_test_add_data_func ("/rfc6762/6.7/found-ipv4", "127.0.0.1", test_found);
  g_test_add_data_func ("/rfc6762/6.7/found-ipv6", "fd00::1", test_found);
  g_test_add_func ("/rfc6762/5.4/answer-to-the-group", test_group_answer);
  g_test_add_func ("/mdns/not-answers", test_not_answers);
  g_test_add_func (
      "/mdns-ice-candidates/3.2.2/two-addresses", test_two_addresses);
  g_test_add_func ("/mdns/second-try", test_second_try);
  g_test_add_func ("/mdns/nobody", test_nobody);
  g_test_add_func ("/mdns-ice-candidates/3.2.1/insane-name", test_insane_name);
  g_test_add_func ("/mdns/cancel", test_cancel);
  g_test_add_func ("/rfc6762/5.2/asks-again", test_asks_again);
  g_test_add_func (
      "/rfc6762/8.3/announced-and-withdrawn", test_announced_and_withdrawn);
  g_test_add_func ("/mdns/withdrawn-at-once", test_withdrawn_at_once);
  g_test_add_func ("/rfc6762/9/rate-and-defence", test_rate_and_defence);
  g_test_add_func ("/rfc6762/11/on-link", test_on_link);
  g_test_add_func ("/rfc6762/6/multicast-answer", test_multicast_answer);
  return g_test_run ();
}
