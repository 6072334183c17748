/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The property, what the system says in its place, and what passes a proxy: a
 * scripted one on loopback that notes what it is asked for. */
#include "call.h"

#include <gio/gio.h>
#include <string.h>

#include "gst/ice/io/service.h"

/* What the system says */

#define TEST_TYPE_SYSTEM (test_system_get_type ())
G_DECLARE_FINAL_TYPE (TestSystem, test_system, TEST, SYSTEM, GObject)

struct _TestSystem
{
  GObject parent;
};

static GMutex lock;                 /* for these two */
static const gchar *system_says[3]; /* NULL: nothing, for ever */
static gchar *system_asked;         /* (owned) (nullable) the URI */

static void system_iface_init (GProxyResolverInterface *iface, gpointer unused);
G_DEFINE_TYPE_WITH_CODE (TestSystem, test_system, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER, system_iface_init))

static gboolean
is_supported (GProxyResolver *resolver)
{
  return TRUE;
}

static void
never_answer (GCancellable *cancellable, gpointer user_data)
{
  g_task_return_error_if_cancelled (user_data);
  g_object_unref (user_data);
}

static void
look_up (GProxyResolver *resolver, const gchar *uri, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task =
      g_task_new (resolver, cancellable, callback, user_data);

  /* Design 9.12: a script may run here, and no loop waits for it. */
  g_assert_true (ice_service_is_current ());
  g_mutex_lock (&lock);
  g_free (system_asked);
  system_asked = g_strdup (uri);
  if (system_says[0])
    g_task_return_pointer (
        task, g_strdupv ((gchar **) system_says), (GDestroyNotify) g_strfreev);
  else
    g_cancellable_connect (
        cancellable, G_CALLBACK (never_answer), g_object_ref (task), NULL);
  g_mutex_unlock (&lock);
}

static gchar **
look_up_finish (GProxyResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
system_iface_init (GProxyResolverInterface *iface, gpointer unused)
{
  iface->is_supported = is_supported;
  iface->lookup_async = look_up;
  iface->lookup_finish = look_up_finish;
}

static void
test_system_class_init (TestSystemClass *klass)
{
}

static void
test_system_init (TestSystem *self)
{
}

static void
set_system (const gchar *first, const gchar *second)
{
  g_mutex_lock (&lock);
  system_says[0] = first;
  system_says[1] = second;
  g_clear_pointer (&system_asked, g_free);
  g_mutex_unlock (&lock);
}

static gboolean
system_was_asked (const gchar *uri)
{
  gboolean was;

  g_mutex_lock (&lock);
  was = g_strcmp0 (system_asked, uri) == 0;
  g_mutex_unlock (&lock);
  return was;
}

/* A proxy that forbids everything */

typedef struct
{
  GSocketService *service; /* (owned) of the default main context */
  gchar *uri;              /* (owned) */
  gchar *heard;            /* (owned) (nullable) the first line */
} Proxy;

static gboolean
on_connection (GSocketService *service, GSocketConnection *connection,
    GObject *unused, gpointer user_data)
{
  static const gchar answer[] = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
  Proxy *self = user_data;
  GIOStream *stream = G_IO_STREAM (connection);
  gchar head[1024] = "";

  g_input_stream_read (
      g_io_stream_get_input_stream (stream), head, sizeof head - 1, NULL, NULL);
  g_free (self->heard);
  self->heard = g_strndup (head, strcspn (head, "\r"));
  g_output_stream_write_all (g_io_stream_get_output_stream (stream), answer,
      sizeof answer - 1, NULL, NULL, NULL);
  return TRUE;
}

static void
proxy_init (Proxy *self)
{
  guint16 port;

  self->heard = NULL;
  self->service = g_socket_service_new ();
  port = g_socket_listener_add_any_inet_port (
      G_SOCKET_LISTENER (self->service), NULL, NULL);
  g_assert_cmpuint (port, !=, 0);
  self->uri = g_strdup_printf ("http://127.0.0.1:%u", port);
  g_signal_connect (
      self->service, "incoming", G_CALLBACK (on_connection), self);
}

static void
proxy_clear (Proxy *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_object_unref (self->service);
  g_free (self->uri);
  g_free (self->heard);
}

/* An agent and what it says */

typedef struct
{
  GstIceAgent *agent;   /* (owned) */
  GstIceStream *stream; /* (owned) */
  gchar *told;          /* (owned) (nullable) the last candidate-error */
  gchar *error;         /* (owned) (nullable) the last error */
} Caller;

static void
on_candidate_error (GstIceAgent *agent, const gchar *url, guint code,
    const gchar *text, gpointer user_data)
{
  Caller *self = user_data;

  g_test_message ("%s: %u %s", url, code, text);
  g_assert_null (strstr (text, "s3cret"));
  g_free (self->told);
  self->told = g_strdup (text);
}

static void
on_error (GstIceAgent *agent, const GError *error, gpointer user_data)
{
  Caller *self = user_data;

  g_test_message ("%s", error->message);
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI);
  g_assert_null (strstr (error->message, "s3cret"));
  g_free (self->error);
  self->error = g_strdup (error->message);
}

static void
caller_init (Caller *self, const gchar *proxy, const gchar *server)
{
  self->agent = call_new_agent ();
  self->stream = gst_ice_agent_request_stream (self->agent, "0");
  self->told = self->error = NULL;
  g_signal_connect (
      self->agent, "candidate-error", G_CALLBACK (on_candidate_error), self);
  g_signal_connect (self->agent, "error", G_CALLBACK (on_error), self);
  g_object_set (self->agent, "proxy", proxy, NULL);
  g_assert_true (gst_ice_agent_add_server (self->agent, server, NULL));
  gst_ice_agent_gather (self->agent);
}

static void
caller_clear (Caller *self)
{
  g_signal_handlers_disconnect_by_data (self->agent, self);
  gst_ice_agent_close_async (self->agent, NULL, NULL, NULL);
  gst_object_unref (self->stream);
  gst_object_unref (self->agent);
  g_free (self->told);
  g_free (self->error);
}

/* Until the proxy's answer was told: on a machine that has no time for us its
 * patience ends first. */
static void
caller_init_heard (Caller *self, const gchar *proxy, const gchar *server)
{
  for (guint i = 0; i < 5; i++) {
    caller_init (self, proxy, server);
    wait_until (self->told);
    if (strstr (self->told, "forbids"))
      return;
    caller_clear (self);
  }
  g_error ("the proxy was not heard five times");
}

static void
test_property (void)
{
  static const struct
  {
    const gchar *set, *shown;
  } cases[] = {
    { NULL, NULL },
    { "", NULL },
    { "direct://", "direct://" },
    { "http://al:s3cret@proxy.test:3128", "http://al@proxy.test:3128" },
    { "socks5://al:s3cret@proxy.test", "socks5://al@proxy.test:1080" },
  };
  g_autoptr (GstIceAgent) agent = call_new_agent ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *shown = NULL;

    g_object_set (agent, "proxy", cases[i].set, NULL);
    g_object_get (agent, "proxy", &shown, NULL);
    g_assert_cmpstr (shown, ==, cases[i].shown);
  }
}

/* No way past it: the server is not reached at all. */
static void
test_wrong_uri (void)
{
  g_autofree gchar *shown = NULL;
  Caller caller;

  set_system ("direct://", NULL);
  caller_init (&caller, "ftp://al:s3cret@proxy.test",
      "turn:alice:wonderland@127.0.0.1:9?transport=tcp");
  wait_until (caller.error);
  g_assert_nonnull (strstr (caller.error, "write http://"));
  wait_until (caller.told);
  g_assert_nonnull (strstr (caller.told, "proxy"));
  g_object_get (caller.agent, "proxy", &shown, NULL);
  g_assert_null (strstr (shown, "s3cret"));
  g_assert_false (system_was_asked ("https://127.0.0.1:9"));
  caller_clear (&caller);
}

/* The name goes to the proxy, and nobody here is asked for it. */
static void
test_names_go_to_the_proxy (void)
{
  static const gchar *const servers[] = {
    "turn:alice:wonderland@turn.invalid:443?transport=tcp",
    "turns:alice:wonderland@turn.invalid:443",
  };

  for (guint i = 0; i < G_N_ELEMENTS (servers); i++) {
    Caller caller;
    Proxy proxy;

    proxy_init (&proxy);
    caller_init_heard (&caller, proxy.uri, servers[i]);
    g_assert_cmpstr (proxy.heard, ==, "CONNECT turn.invalid:443 HTTP/1.1");
    g_assert_nonnull (strstr (caller.told, proxy.uri));
    caller_clear (&caller);
    proxy_clear (&proxy);
  }
}

/* The first that we can do counts; the question is for what CONNECT makes. */
static void
test_system (void)
{
  Caller caller;
  Proxy proxy;

  proxy_init (&proxy);
  set_system ("https://other.test", proxy.uri);
  caller_init_heard (&caller, NULL, "turn:a:b@192.0.2.1:443?transport=tcp");
  g_assert_true (system_was_asked ("https://192.0.2.1:443"));
  g_assert_cmpstr (proxy.heard, ==, "CONNECT 192.0.2.1:443 HTTP/1.1");
  g_assert_nonnull (strstr (caller.told, proxy.uri));
  caller_clear (&caller);

  g_clear_pointer (&proxy.heard, g_free);
  set_system ("direct://", proxy.uri);
  caller_init (&caller, "", "turn:a:b@127.0.0.1:9?transport=tcp");
  wait_until (caller.told);
  g_assert_true (system_was_asked ("https://127.0.0.1:9"));
  g_assert_null (proxy.heard);
  caller_clear (&caller);

  /* UDP asks nobody. */
  set_system ("direct://", NULL);
  caller_init (&caller, "", "turn:a:b@127.0.0.1:9");
  wait_until (caller.told);
  g_assert_false (system_was_asked ("https://127.0.0.1:9"));
  caller_clear (&caller);
  proxy_clear (&proxy);
}

/* Told in time, and what is closed meanwhile leaves nothing behind. */
static void
test_slow_system (void)
{
  static const gchar *const servers[] = {
    "turn:a:b@127.0.0.1:9?transport=tcp",
    "turn:a:b@turn.invalid?transport=tcp",
  };

  for (guint i = 0; i < G_N_ELEMENTS (servers); i++) {
    gint64 begin = g_get_monotonic_time ();
    Caller caller;

    set_system (NULL, NULL);
    caller_init (&caller, NULL, servers[i]);
    wait_until (caller.told);
    g_assert_true (i > 0 || strstr (caller.told, "set proxy=direct://"));
    g_assert_cmpint (
        g_get_monotonic_time () - begin, <, 5 * G_TIME_SPAN_SECOND);
    caller_clear (&caller);
  }
}

int
main (int argc, char **argv)
{
  int result;

  g_setenv ("GIO_USE_PROXY_RESOLVER", "test", TRUE);
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_io_extension_point_register (G_PROXY_RESOLVER_EXTENSION_POINT_NAME);
  g_io_extension_point_implement (
      G_PROXY_RESOLVER_EXTENSION_POINT_NAME, TEST_TYPE_SYSTEM, "test", 1000);
  g_assert_true (TEST_IS_SYSTEM (g_proxy_resolver_get_default ()));

  g_test_add_func ("/proxy/property", test_property);
  g_test_add_func ("/proxy/wrong-uri", test_wrong_uri);
  g_test_add_func ("/proxy/names-go-to-the-proxy", test_names_go_to_the_proxy);
  g_test_add_func ("/proxy/system", test_system);
  g_test_add_func ("/proxy/slow-system", test_slow_system);
  result = call_run_tests ();
  g_free (system_asked);
  return result;
}
