/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define TIMEOUT (10 * G_TIME_SPAN_SECOND)

/* Debian has it in sbin, which is not in everybody's path. */
static gchar *
find_mosquitto (void)
{
  gchar *path = g_find_program_in_path ("mosquitto");

  if (path == NULL &&
      g_file_test ("/usr/sbin/mosquitto", G_FILE_TEST_IS_EXECUTABLE))
    path = g_strdup ("/usr/sbin/mosquitto");
  return path;
}

gboolean
broker_is_installed (void)
{
  g_autofree gchar *path = find_mosquitto ();

  return path != NULL;
}

static GSocketAddress *
loopback (guint16 port)
{
  g_autoptr (GInetAddress) address =
      g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);

  return g_inet_socket_address_new (address, port);
}

static GSocket *
new_socket (void)
{
  return g_socket_new (
      G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
}

guint16
broker_pick_port (void)
{
  g_autoptr (GSocketAddress) any = loopback (0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GSocket) socket = new_socket ();

  g_assert_true (g_socket_bind (socket, any, TRUE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

gchar *
broker_file (Broker *self, const gchar *name)
{
  return g_build_filename (self->folder, name, NULL);
}

Broker *
broker_new (const gchar *more)
{
  Broker *self = g_new0 (Broker, 1);

  self->folder = g_dir_make_tmp ("gst-ice-mqtt-XXXXXX", NULL);
  self->port = broker_pick_port ();
  self->config = g_strdup_printf ("listener %u 127.0.0.1\n"
                                  "user %s\n"
                                  "persistence false\n"
                                  "max_queued_messages 0\n"
                                  "%s",
      self->port, g_get_user_name (), more);
  return self;
}

void
broker_die_with_parent (gpointer unused)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean
answers (Broker *self)
{
  g_autoptr (GSocketAddress) address = loopback (self->port);
  g_autoptr (GSocket) socket = new_socket ();

  return g_socket_connect (socket, address, NULL, NULL);
}

void
broker_start (Broker *self)
{
  g_autofree gchar *program = find_mosquitto ();
  g_autofree gchar *file = broker_file (self, "mosquitto.conf");
  const gchar *argv[] = { program, "-c", file, NULL };
  const gint64 end = g_get_monotonic_time () + TIMEOUT;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (file, self->config, -1, NULL));
  g_spawn_async (NULL, (gchar **) argv, NULL,
      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
          G_SPAWN_STDERR_TO_DEV_NULL,
      broker_die_with_parent, NULL, &self->pid, &error);
  g_assert_no_error (error);
  while (!answers (self)) {
    g_assert_cmpint (waitpid (self->pid, NULL, WNOHANG), ==, 0);
    g_assert_cmpint (g_get_monotonic_time (), <, end);
    g_usleep (5000);
  }
}

void
broker_kill (Broker *self)
{
  if (self->pid == 0)
    return;
  kill (self->pid, SIGKILL);
  waitpid (self->pid, NULL, 0);
  self->pid = 0;
}

static void
remove_folder (const gchar *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  const gchar *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *file = g_build_filename (path, name, NULL);

    g_unlink (file);
  }
  g_clear_pointer (&dir, g_dir_close);
  g_rmdir (path);
}

void
broker_free (Broker *self)
{
  broker_kill (self);
  remove_folder (self->folder);
  g_free (self->folder);
  g_free (self->config);
  g_free (self);
}
