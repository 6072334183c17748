/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/gst.h>
#include <string.h>

#include "gst/ice/io/resolver.h"
#include "io-support.h"

/* A resolver that answers what the name says: "slow.test" never,
 * "gone.test" with an error, "many.test" with more than anybody wants. */

#define TEST_TYPE_RESOLVER (test_resolver_get_type ())
G_DECLARE_FINAL_TYPE (TestResolver, test_resolver, TEST, RESOLVER, GResolver)

struct _TestResolver
{
  GResolver parent;
};

G_DEFINE_TYPE (TestResolver, test_resolver, G_TYPE_RESOLVER)

static const gchar *const many[] = { "2001:db8::1", "2001:db8::2",
  "2001:db8::1", "2001:db8::3", "2001:db8::4", "2001:db8::5", "2001:db8::6",
  "2001:db8::7", "2001:db8::8", "2001:db8::9", "192.0.2.1", "192.0.2.2" };

static void
free_addresses (gpointer data)
{
  g_resolver_free_addresses (data);
}

static void
never_answer (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;

  g_task_return_error_if_cancelled (task);
  g_object_unref (task);
}

static void
test_resolver_look_up (GResolver *resolver, const gchar *host,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (resolver, cancellable, callback, user_data);
  GList *addresses = NULL;
  guint i;

  if (strcmp (host, "slow.test") == 0) {
    g_cancellable_connect (cancellable, G_CALLBACK (never_answer), task, NULL);
    return;
  }
  if (strcmp (host, "many.test") == 0) {
    for (i = 0; i < G_N_ELEMENTS (many); i++)
      addresses =
          g_list_append (addresses, g_inet_address_new_from_string (many[i]));
    g_task_return_pointer (task, addresses, free_addresses);
  } else {
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
        "no such name: %s", host);
  }
  g_object_unref (task);
}

static GList *
test_resolver_finish (GResolver *resolver, GAsyncResult *result, GError **error)
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

/* One question */

typedef struct
{
  IceLoop *loop;
  const gchar *host;
  IceTime timeout;
  gboolean cancel_at_once;

  gboolean started;
  guint n_answers;
  IceAddress addresses[16];
  guint n_addresses;
  GError *error;
} Question;

static void
question_answered (const IceAddress *addresses, guint n_addresses,
    const GError *error, gpointer user_data)
{
  Question *self = user_data;

  g_assert_true (ice_loop_is_current (self->loop));
  g_assert_true (self->started);
  g_assert_cmpuint (n_addresses, <=, G_N_ELEMENTS (self->addresses));
  io_lock ();
  self->n_answers++;
  if (n_addresses > 0)
    memcpy (self->addresses, addresses, n_addresses * sizeof (IceAddress));
  self->n_addresses = n_addresses;
  self->error = error != NULL ? g_error_copy (error) : NULL;
  io_unlock ();
}

static void
question_start (gpointer user_data)
{
  Question *self = user_data;
  IceResolve *resolve = ice_resolve_start (
      self->loop, self->host, 3478, self->timeout, question_answered, self);

  self->started = TRUE;
  if (self->cancel_at_once)
    ice_resolve_cancel (resolve);
}

static void
question_ask (Question *self, const gchar *host, IceTime timeout)
{
  *self = (Question){
    .loop = ice_loop_acquire (), .host = host, .timeout = timeout
  };
  io_run (self->loop, question_start, self);
  io_lock ();
  io_wait_for (self->n_answers == 1);
  io_unlock ();
  ice_loop_unref (self->loop);
  io_wait_for_no_threads ();
}

static void
test_literals (void)
{
  static const gchar *const literals[] = { "192.0.2.7", "2001:db8::7" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (literals); i++) {
    Question question;
    gchar ip[ICE_ADDRESS_STRLEN];

    question_ask (&question, literals[i], ICE_SECOND);
    g_assert_no_error (question.error);
    g_assert_cmpuint (question.n_addresses, ==, 1);
    g_assert_cmpuint (question.addresses[0].port, ==, 3478);
    g_assert_cmpstr (
        ice_address_ip_to_string (&question.addresses[0], ip), ==, literals[i]);
  }
}

static void
test_timeout (void)
{
  Question question;
  IceTime start = ice_loop_now ();

  question_ask (&question, "slow.test", 50 * ICE_MSEC);
  g_assert_cmpint (ice_loop_now () - start, >=, 50 * ICE_MSEC);
  g_assert_cmpuint (question.n_addresses, ==, 0);
  g_assert_error (question.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (question.error->message, "slow.test"));
  g_clear_error (&question.error);
}

static void
test_not_found (void)
{
  Question question;

  question_ask (&question, "gone.test", 10 * ICE_SECOND);
  g_assert_cmpuint (question.n_addresses, ==, 0);
  g_assert_error (question.error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND);
  g_clear_error (&question.error);
}

/* Eight, none twice, and IPv4 among them although it came last. */
static void
test_many (void)
{
  Question question;
  gchar ip[ICE_ADDRESS_STRLEN];

  question_ask (&question, "many.test", 10 * ICE_SECOND);
  g_assert_cmpuint (question.n_addresses, ==, 8);
  g_assert_cmpstr (
      ice_address_ip_to_string (&question.addresses[2], ip), ==, "2001:db8::3");
  g_assert_cmpstr (
      ice_address_ip_to_string (&question.addresses[7], ip), ==, "192.0.2.1");
}

static void
question_cancel_cases (gpointer user_data)
{
  Question *questions = user_data;
  guint i;

  for (i = 0; i < 4; i++)
    question_start (&questions[i]);
}

/* Whatever was under way when cancel came: no answer, nothing left over. */
static void
test_cancel (void)
{
  IceLoop *loop = ice_loop_acquire ();
  static const gchar *const hosts[] = { "slow.test", "gone.test", "many.test",
    "192.0.2.1" };
  guint round, i;

  for (round = 0; round < 50; round++) {
    Question questions[G_N_ELEMENTS (hosts)];

    for (i = 0; i < G_N_ELEMENTS (hosts); i++)
      questions[i] = (Question){ .loop = loop,
        .host = hosts[i],
        .timeout = ICE_SECOND,
        .cancel_at_once = TRUE };
    io_run (loop, question_cancel_cases, questions);
    for (i = 0; i < G_N_ELEMENTS (hosts); i++)
      g_assert_cmpuint (questions[i].n_answers, ==, 0);
  }
  ice_loop_unref (loop);
  io_wait_for_no_threads ();
}

int
main (int argc, char *argv[])
{
  GResolver *resolver;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  resolver = g_object_new (TEST_TYPE_RESOLVER, NULL);
  g_resolver_set_default (resolver);
  g_object_unref (resolver);

  g_test_add_func ("/resolver/literals", test_literals);
  g_test_add_func ("/resolver/timeout", test_timeout);
  g_test_add_func ("/resolver/not-found", test_not_found);
  g_test_add_func ("/resolver/many", test_many);
  g_test_add_func ("/resolver/cancel", test_cancel);
  return g_test_run ();
}
