/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the system trusts is read once, before the first connection over TLS,
 * and takes its time: media flows meanwhile, and nothing leaves for the server.
 * Here it is a file that nobody has written to yet. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"

#define N_PACKETS 50

static gchar *fifo;

/* One that is connected to, and says nothing. */
static GSocket *
listen_anywhere (guint16 *ret_port)
{
  g_autoptr (GInetAddress) ip =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (ip, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;
  GSocket *listener = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  g_assert_true (g_socket_bind (listener, any, TRUE, &error));
  g_assert_true (g_socket_listen (listener, &error));
  g_socket_set_blocking (listener, FALSE);
  bound = g_socket_get_local_address (listener, &error);
  g_assert_no_error (error);
  *ret_port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return listener;
}

static gboolean
has_come (GSocket *listener)
{
  g_autoptr (GSocket) connection = g_socket_accept (listener, NULL, NULL);

  return connection != NULL;
}

static void
add_server (GstIceAgent *agent, guint16 port)
{
  g_autofree gchar *uri =
      g_strdup_printf ("turns:alice:secret@127.0.0.1:%u?transport=tcp", port);
  g_autoptr (GError) error = NULL;

  gst_ice_agent_add_server (agent, uri, &error);
  g_assert_no_error (error);
}

/* (transfer full) that wants a connection. */
static GstIceAgent *
gather_at (guint16 port)
{
  GstIceAgent *agent = call_new_agent ();
  g_autoptr (GstIceStream) stream = gst_ice_agent_request_stream (agent, "0");

  add_server (agent, port);
  gst_ice_agent_gather (agent);
  return agent;
}

static void
test_slow (void)
{
  g_autoptr (Call) call = call_new ();
  guint16 port, next_port, gone_port;
  g_autoptr (GSocket) listener = listen_anywhere (&port);
  g_autoptr (GSocket) next_listener = listen_anywhere (&next_port);
  g_autoptr (GSocket) gone_listener = listen_anywhere (&gone_port);
  GstIceAgent *gone;
  gint fd;

  add_server (call->a.agent, port);
  call_connect (call);
  call_exchange (call->a.stream, call->b.stream, N_PACKETS, 100);
  call_exchange (call->b.stream, call->a.stream, N_PACKETS, 100);
  g_assert_false (has_come (listener));

  /* A mark for what is not open yet waits with it. */
  g_object_set (call->a.stream, "dscp", 46, NULL);
  call_exchange (call->a.stream, call->b.stream, N_PACKETS, 100);

  /* Who goes before it is known never connects. */
  gone = gather_at (gone_port);
  call_run_for (20);
  g_object_unref (gone);

  /* Waits until somebody reads it. */
  fd = g_open (fifo, O_WRONLY | O_CLOEXEC, 0);
  g_assert_no_errno (fd);
  g_assert_cmpint (write (fd, "\n", 1), ==, 1);
  g_assert_no_errno (close (fd));
  wait_until (has_come (listener));

  {
    /* It is known now, and was asked for in this order. */
    g_autoptr (GstIceAgent) next = gather_at (next_port);

    wait_until (has_come (next_listener));
  }
  g_assert_false (has_come (gone_listener));
}

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = g_dir_make_tmp ("gst-ice-trust-XXXXXX", NULL);
  int result;

  fifo = g_build_filename (folder, "authorities.pem", NULL);
  g_assert_no_errno (mkfifo (fifo, 0600));
  /* Where OpenSSL looks for what the system trusts. */
  g_setenv ("SSL_CERT_FILE", fifo, TRUE);
  g_setenv ("SSL_CERT_DIR", folder, TRUE);
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/trust/slow", test_slow);
  result = call_run_tests ();
  g_remove (fifo);
  g_rmdir (folder);
  g_free (fifo);
  return result;
}
