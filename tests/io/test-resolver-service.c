/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SRV (RFC 2782): what it says, what it does not say, and what is slow to say
 * anything. */
#include <gst/gst.h>
#include <string.h>

#include "gst/ice/io/resolver.h"
#include "io-support.h"

/* A resolver with a zone. */

#define TEST_TYPE_RESOLVER (test_resolver_get_type ())
G_DECLARE_FINAL_TYPE (TestResolver, test_resolver, TEST, RESOLVER, GResolver)

struct _TestResolver
{
  GResolver parent;
};

G_DEFINE_TYPE (TestResolver, test_resolver, G_TYPE_RESOLVER)

typedef struct
{
  const gchar *domain;
  struct
  {
    const gchar *target; /* NULL: the end */
    guint16 port, priority, weight;
  } records[4];
} Zone;

/* As GResolver tells them: in no order. "." as an empty list, too. */
static const Zone zones[] = {
  { "srv.test",
      { { "backup.test", 1111, 20, 0 }, { "main.test", 2222, 10, 5 } } },
  { "absent.test", { { ".", 0, 0, 0 } } },
  { "root.test", { { "", 0, 0, 0 } } }, /* what GLib makes of "." */
  { "empty.test", { { NULL, 0, 0, 0 } } },
  { "half.test", { { "slow.test", 1, 1, 0 }, { "main.test", 2222, 2, 0 } } },
  { "nowhere.test", { { "gone.test", 1, 1, 0 }, { "gone2.test", 2, 2, 0 } } },
  { "zero.test", { { "main.test", 0, 1, 0 } } },
  { "weights.test",
      { { "backup.test", 1, 1, 10 }, { "main.test", 2, 1, 30 } } },
};

static const struct
{
  const gchar *name, *ip;
} hosts[] = {
  { "main.test", "192.0.2.10" },
  { "main.test", "2001:db8::10" },
  { "backup.test", "192.0.2.20" },
  { "srv.test", "192.0.2.30" },
  { "plain.test", "192.0.2.30" },
  { "absent.test", "192.0.2.30" },
  { "mute.test", "192.0.2.30" },
  { "zero.test", "192.0.2.30" },
};

static gint n_names; /* atomic: questions for addresses */

static void
never_answer (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;

  g_task_return_error_if_cancelled (task);
  g_object_unref (task);
}

static void
free_addresses (gpointer data)
{
  g_resolver_free_addresses (data);
}

static void
free_targets (gpointer data)
{
  g_resolver_free_targets (data);
}

static void
look_up_name (GResolver *resolver, const gchar *name, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (resolver, cancellable, callback, user_data);
  GList *addresses = NULL;

  g_atomic_int_inc (&n_names);
  if (g_str_equal (name, "slow.test")) {
    g_cancellable_connect (
        cancellable, G_CALLBACK (never_answer), g_object_ref (task), NULL);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++) {
    if (g_str_equal (hosts[i].name, name))
      addresses = g_list_append (
          addresses, g_inet_address_new_from_string (hosts[i].ip));
  }
  if (addresses)
    g_task_return_pointer (task, addresses, free_addresses);
  else
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
        "no such name: %s", name);
}

static GList *
flood (void)
{
  GList *targets = NULL;

  for (guint i = 0; i < 2000; i++)
    targets = g_list_prepend (
        targets, g_srv_target_new ("main.test", (guint16) (2000 + i), 1, 1));
  return targets;
}

static void
look_up_service (GResolver *resolver, const gchar *name,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (resolver, cancellable, callback, user_data);
  const gchar *domain = name + strlen ("_turn._udp.");
  GList *targets = NULL;

  g_assert_true (g_str_has_prefix (name, "_turn._udp."));
  if (g_str_equal (domain, "mute.test")) {
    g_cancellable_connect (
        cancellable, G_CALLBACK (never_answer), g_object_ref (task), NULL);
    return;
  }
  if (g_str_equal (domain, "flood.test")) {
    g_task_return_pointer (task, flood (), free_targets);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (zones); i++) {
    if (!g_str_equal (zones[i].domain, domain))
      continue;
    for (guint j = 0; zones[i].records[j].target; j++)
      targets = g_list_append (targets,
          g_srv_target_new (zones[i].records[j].target,
              zones[i].records[j].port, zones[i].records[j].priority,
              zones[i].records[j].weight));
    g_task_return_pointer (task, targets, free_targets);
    return;
  }
  g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
      "no such service: %s", name);
}

static GList *
finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_resolver_class_init (TestResolverClass *klass)
{
  GResolverClass *resolver_class = G_RESOLVER_CLASS (klass);

  resolver_class->lookup_by_name_async = look_up_name;
  resolver_class->lookup_by_name_finish = finish;
  resolver_class->lookup_service_async = look_up_service;
  resolver_class->lookup_service_finish = finish;
}

static void
test_resolver_init (TestResolver *self)
{
}

/* One question */

typedef struct
{
  IceLoop *loop;
  const gchar *host;
  IceTime timeout, took;

  guint n_answers, n_addresses;
  IceAddress addresses[16];
  GError *error; /* (owned) (nullable) */
} Question;

static void
answered (const IceAddress *addresses, guint n_addresses, const GError *error,
    gpointer user_data)
{
  Question *self = user_data;

  g_assert_cmpuint (n_addresses, <=, G_N_ELEMENTS (self->addresses));
  io_lock ();
  self->n_answers++;
  for (guint i = 0; i < n_addresses; i++)
    self->addresses[i] = addresses[i];
  self->n_addresses = n_addresses;
  self->error = error ? g_error_copy (error) : NULL;
  io_unlock ();
}

static void
start (gpointer user_data)
{
  Question *self = user_data;

  ice_resolve_start_service (self->loop, "turn", "udp", self->host, 3478,
      self->timeout, answered, self);
}

static void
question_ask (Question *self, const gchar *host, IceTime timeout)
{
  IceTime begin = ice_loop_now ();

  *self = (Question){
    .loop = ice_loop_acquire (), .host = host, .timeout = timeout
  };
  g_atomic_int_set (&n_names, 0);
  io_run (self->loop, start, self);
  io_lock ();
  io_wait_for (self->n_answers > 0);
  io_unlock ();
  self->took = ice_loop_now () - begin;
  g_assert_cmpuint (self->n_answers, ==, 1);
  ice_loop_unref (self->loop);
}

/* "IP:PORT IP:PORT" */
static void
assert_answer (const gchar *host, const gchar *expected)
{
  g_autoptr (GString) got = g_string_new (NULL);
  gchar text[ICE_ADDRESS_STRLEN];
  Question question;

  question_ask (&question, host, 10 * ICE_SECOND);
  g_assert_no_error (question.error);
  for (guint i = 0; i < question.n_addresses; i++)
    g_string_append_printf (got, "%s%s", i ? " " : "",
        ice_address_to_string (&question.addresses[i], text));
  g_assert_cmpstr (got->str, ==, expected);
}

static void
assert_error (const gchar *host, const gchar *words)
{
  Question question;

  question_ask (&question, host, 10 * ICE_SECOND);
  g_assert_cmpuint (question.n_addresses, ==, 0);
  g_assert_error (question.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (question.error->message, words));
  g_assert_nonnull (strstr (question.error->message, host));
  g_clear_error (&question.error);
}

/* The lower priority number first, with the ports it says. */
static void
test_order (void)
{
  assert_answer (
      "srv.test", "192.0.2.10:2222 [2001:db8::10]:2222 192.0.2.20:1111");
}

/* RFC 2782: among equals each is first as often as its weight says. */
static void
test_weights (void)
{
  guint n_heavy = 0;

  for (guint i = 0; i < 200; i++) {
    Question question;

    question_ask (&question, "weights.test", 10 * ICE_SECOND);
    g_assert_cmpuint (question.n_addresses, ==, 3);
    n_heavy += question.addresses[0].port == 2;
  }
  g_test_message ("%u of 200 to the one with 30 of 40", n_heavy);
  g_assert_cmpuint (n_heavy, >, 115); /* 150, and six deviations of 6 */
  g_assert_cmpuint (n_heavy, <, 185);
}

/* RFC 5928 3: no SRV, or none that can be used: the host itself. */
static void
test_no_srv (void)
{
  assert_answer ("plain.test", "192.0.2.30:3478");
  assert_answer ("zero.test", "192.0.2.30:3478");
  assert_error ("none.test", "no such name");
}

static void
test_absent (void)
{
  assert_error ("absent.test", "no service _turn._udp");
  assert_error ("root.test", "no service _turn._udp");
  assert_error ("empty.test", "no service _turn._udp");
}

/* What is slow costs that, and not the others. */
static void
test_slow (void)
{
  Question question;

  question_ask (&question, "mute.test", 10 * ICE_SECOND);
  g_assert_no_error (question.error);
  g_assert_cmpuint (question.n_addresses, ==, 1);
  g_assert_cmpuint (question.addresses[0].port, ==, 3478);
  g_assert_cmpint (question.took, <, 2 * ICE_SECOND);

  question_ask (&question, "half.test", 10 * ICE_SECOND);
  g_assert_no_error (question.error);
  g_assert_cmpuint (question.n_addresses, ==, 2);
  g_assert_cmpuint (question.addresses[0].port, ==, 2222);
  g_assert_cmpint (question.took, <, 2 * ICE_SECOND);
}

static void
test_nowhere (void)
{
  assert_error ("nowhere.test", "have no addresses");
}

/* Two thousand targets are two thousand questions to others. */
static void
test_flood (void)
{
  Question question;

  question_ask (&question, "flood.test", 10 * ICE_SECOND);
  g_assert_no_error (question.error);
  g_assert_cmpuint (question.n_addresses, ==, 8);
  g_assert_cmpint (g_atomic_int_get (&n_names), <=, 5);
}

static void
test_timeout (void)
{
  Question question;

  question_ask (&question, "slow.test", 50 * ICE_MSEC);
  g_assert_error (question.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&question.error);
}

int
main (int argc, char **argv)
{
  GResolver *resolver;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  resolver = g_object_new (TEST_TYPE_RESOLVER, NULL);
  g_resolver_set_default (resolver);
  g_object_unref (resolver);

  g_test_add_func ("/rfc2782/order", test_order);
  g_test_add_func ("/rfc2782/weights", test_weights);
  g_test_add_func ("/rfc2782/absent", test_absent);
  g_test_add_func ("/rfc5928/3/no-srv", test_no_srv);
  g_test_add_func ("/resolver-service/slow", test_slow);
  g_test_add_func ("/resolver-service/nowhere", test_nowhere);
  g_test_add_func ("/resolver-service/flood", test_flood);
  g_test_add_func ("/resolver-service/timeout", test_timeout);
  return g_test_run ();
}
