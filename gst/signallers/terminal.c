/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "terminal.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

struct _GstIceTerminal
{
  gint fd;
  gboolean changed;
  struct termios before;
};

GstIceTerminal *
gst_ice_terminal_open (void)
{
  GstIceTerminal *self;
  gint fd = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

  if (fd < 0)
    return NULL;
  self = g_new0 (GstIceTerminal, 1);
  self->fd = fd;
  return self;
}

gint
gst_ice_terminal_get_fd (GstIceTerminal *self)
{
  return self->fd;
}

void
gst_ice_terminal_take_long_lines (GstIceTerminal *self, gboolean take)
{
  struct termios modes;

  if (take == self->changed)
    return;
  if (!take) {
    tcsetattr (self->fd, TCSANOW, &self->before);
    self->changed = FALSE;
    return;
  }
  if (tcgetattr (self->fd, &self->before) != 0)
    return;
  modes = self->before;
  /* Ctrl-C and what is shown stay as they are. */
  modes.c_lflag &= ~(tcflag_t) ICANON;
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  self->changed = tcsetattr (self->fd, TCSANOW, &modes) == 0;
}

void
gst_ice_terminal_free (GstIceTerminal *self)
{
  gst_ice_terminal_take_long_lines (self, FALSE);
  close (self->fd);
  g_free (self);
}
