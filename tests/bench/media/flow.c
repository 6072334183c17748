/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "media.h"

/* Packets that were lost would be waited for. */
#define PATIENCE_S 5

void
wire_init (Wire *self, gint fd)
{
  self->fd = fd;
  self->rest = g_string_new (NULL);
}

void
wire_send (Wire *self, const gchar *format, ...)
{
  g_autofree gchar *text = NULL, *line = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  line = g_strconcat (text, "\n", NULL);
  if (send (self->fd, line, strlen (line), MSG_NOSIGNAL) < 0)
    exit (1);
}

gchar *
wire_receive (Wire *self)
{
  gchar *end, *line, buffer[4096];

  while (!(end = strchr (self->rest->str, '\n'))) {
    gssize n = recv (self->fd, buffer, sizeof buffer, 0);

    if (n <= 0)
      exit (1);
    g_string_append_len (self->rest, buffer, n);
  }
  line = g_strndup (self->rest->str, end - self->rest->str);
  g_string_erase (self->rest, 0, end - self->rest->str + 1);
  return line;
}

gint64
flow_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

void
flow_wait (const Settings *settings, Shared *shared, gint n_sent)
{
  const struct timespec patience = { .tv_sec = PATIENCE_S };
  const gint enough = n_sent - settings->window / 2;
  gint received = g_atomic_int_get (&shared->received);

  /* What is lost under a flood is counted, not waited for. */
  if (n_sent - received <= settings->window || settings->flood > 0)
    return;
  /* Sleeps until half of the window has arrived. */
  while ((received = g_atomic_int_get (&shared->received)) < enough) {
    g_atomic_int_set (&shared->waiting, enough);
    if (g_atomic_int_get (&shared->received) >= enough)
      break;
    if (syscall (SYS_futex, &shared->waiting, FUTEX_WAIT, enough, &patience,
            NULL, 0) < 0 &&
        errno == ETIMEDOUT) {
      g_printerr (
          "packets were lost: %d sent, %d received\n", n_sent, received);
      exit (1);
    }
  }
  g_atomic_int_set (&shared->waiting, 0);
}

void
flow_received (
    const Settings *settings, Shared *shared, gint n, const guint8 *data)
{
  gint received = g_atomic_int_add (&shared->received, n) + n;
  gint waiting = g_atomic_int_get (&shared->waiting);

  if (waiting != 0 && received >= waiting) {
    g_atomic_int_set (&shared->waiting, 0);
    syscall (SYS_futex, &shared->waiting, FUTEX_WAKE, 1, NULL, NULL, 0);
  }
  if (settings->rate > 0 && shared->n_latencies < LATENCIES_MAX) {
    gint64 sent;

    memcpy (&sent, data, sizeof sent);
    shared->latencies[shared->n_latencies++] = (guint) (flow_now_ns () - sent);
  }
  if (shared->first_us == 0)
    shared->first_us = g_get_monotonic_time ();
  if (received >= settings->packets)
    shared->last_us = g_get_monotonic_time ();
}

void
flow_pace (const Settings *settings, gint index, gint64 start_ns)
{
  gint64 due =
      start_ns + index * G_GINT64_CONSTANT (1000000000) / settings->rate;
  struct timespec at = { due / 1000000000, due % 1000000000 };

  clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

void
flow_stamp (guint8 *data)
{
  gint64 now = flow_now_ns ();

  memcpy (data, &now, sizeof now);
}
