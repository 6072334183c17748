/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include <glib-unix.h>
#include <gst/gst.h>

#include "gst/ice/io/loop.h"
#include "gst/ice/io/service.h"
#include "io-support.h"

/* Calls */

typedef struct
{
  GArray *seen; /* guint */
  guint n_notified;
} Calls;

typedef struct
{
  Calls *calls;
  guint number;
} NumberedCall;

static void
note_call (gpointer user_data)
{
  NumberedCall *call = user_data;

  io_lock ();
  g_array_append_val (call->calls->seen, call->number);
  io_unlock ();
}

static void
note_notify (gpointer user_data)
{
  NumberedCall *call = user_data;

  io_lock ();
  call->calls->n_notified++;
  io_unlock ();
  g_free (call);
}

typedef struct
{
  IceLoop *loop;
  Calls *calls;
  guint base;
} Caller;

#define CALLS_PER_THREAD 1000

static gpointer
call_in_order (gpointer user_data)
{
  Caller *caller = user_data;
  guint i;

  for (i = 0; i < CALLS_PER_THREAD; i++) {
    NumberedCall *call = g_new (NumberedCall, 1);

    call->calls = caller->calls;
    call->number = caller->base + i;
    ice_loop_invoke (caller->loop, note_call, call, note_notify);
  }
  return NULL;
}

static void
assert_each_thread_in_order (const Calls *calls)
{
  guint next[2] = { 0, CALLS_PER_THREAD };
  guint i;

  for (i = 0; i < calls->seen->len; i++) {
    guint number = g_array_index (calls->seen, guint, i);
    guint *expected = &next[number / CALLS_PER_THREAD];

    g_assert_cmpuint (number, ==, *expected);
    (*expected)++;
  }
}

/* The last user leaves while calls wait: they run all the same. */
static void
test_invoke_order (void)
{
  IceLoop *loop = ice_loop_acquire ();
  Calls calls = { g_array_new (FALSE, FALSE, sizeof (guint)), 0 };
  Caller callers[2] = { { loop, &calls, 0 },
    { loop, &calls, CALLS_PER_THREAD } };
  GThread *threads[2];
  guint i;

  for (i = 0; i < 2; i++)
    threads[i] = g_thread_new ("caller", call_in_order, &callers[i]);
  for (i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  ice_loop_unref (loop);

  io_lock ();
  io_wait_for (calls.n_notified == 2 * CALLS_PER_THREAD);
  assert_each_thread_in_order (&calls);
  io_unlock ();
  g_array_unref (calls.seen);
  io_wait_for_no_threads ();
}

/* Timers */

#define N_TIMERS 100

typedef struct
{
  IceLoop *loop;
  IceTimer *timers[N_TIMERS];
  IceTime deadlines[N_TIMERS]; /* as set last, or NEVER */
  GArray *fired;               /* guint */
  guint n_expected;
} Timers;

typedef struct
{
  Timers *timers;
  guint number;
} TimerData;

static TimerData timer_datas[N_TIMERS];

static void
note_timer (gpointer user_data)
{
  TimerData *data = user_data;

  g_assert_cmpint (ice_loop_now (), >=, data->timers->deadlines[data->number]);
  io_lock ();
  g_array_append_val (data->timers->fired, data->number);
  io_unlock ();
}

static void
timer_set (Timers *self, guint i, IceTime deadline)
{
  self->deadlines[i] = deadline;
  ice_timer_set (self->timers[i], deadline);
}

static void
arm_timers (gpointer user_data)
{
  Timers *self = user_data;
  IceTime now = ice_loop_now ();
  guint i;

  for (i = 0; i < N_TIMERS; i++) {
    timer_datas[i] = (TimerData){ self, i };
    self->timers[i] = ice_timer_new (self->loop, note_timer, &timer_datas[i]);
    /* Ten at each of ten deadlines, in no order. */
    timer_set (self, i, now + (i * 7 % 10) * ICE_MSEC);
  }
  for (i = 0; i < N_TIMERS; i += 5)
    timer_set (self, i, now + (i % 3) * ICE_MSEC);
  for (i = 3; i < N_TIMERS; i += 9)
    timer_set (self, i, ICE_TIME_NEVER);
  self->n_expected = 0;
  for (i = 0; i < N_TIMERS; i++)
    self->n_expected += self->deadlines[i] != ICE_TIME_NEVER;
}

static void
free_timers (gpointer user_data)
{
  Timers *self = user_data;
  guint i;

  /* The first ones still armed: freeing disarms. */
  ice_timer_set (self->timers[0], ice_loop_now () + ICE_SECOND);
  for (i = 0; i < N_TIMERS; i++)
    ice_timer_free (self->timers[i]);
}

static void
test_timer_order (void)
{
  Timers timers = { .loop = ice_loop_acquire (),
    .fired = g_array_new (FALSE, FALSE, sizeof (guint)) };
  IceTime last = 0;
  guint i;

  io_run (timers.loop, arm_timers, &timers);
  io_lock ();
  io_wait_for (timers.fired->len == timers.n_expected);
  io_unlock ();
  io_run (timers.loop, free_timers, &timers);

  g_assert_cmpuint (timers.fired->len, ==, timers.n_expected);
  for (i = 0; i < timers.fired->len; i++) {
    IceTime deadline = timers.deadlines[g_array_index (timers.fired, guint, i)];

    g_assert_cmpint (deadline, >=, last);
    last = deadline;
  }
  g_array_unref (timers.fired);
  ice_loop_unref (timers.loop);
  io_wait_for_no_threads ();
}

/* Watches */

typedef struct
{
  IceLoop *loop;
  gint fds[2][2];
  IceWatch *watches[2];
  IceTimer *timer;
  guint n_events, n_ticks;
} Watches;

static void
tick_at_once (gpointer user_data)
{
  Watches *self = user_data;

  self->n_ticks++;
  ice_timer_set (self->timer, 0);
}

static void
note_byte (gint fd, GIOCondition condition, gpointer user_data)
{
  Watches *self = user_data;
  guint8 byte;

  g_assert_cmpint (condition & G_IO_IN, !=, 0);
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  io_lock ();
  self->n_events++;
  io_unlock ();
}

static void
watch_beside_busy_timer (gpointer user_data)
{
  Watches *self = user_data;

  g_assert_true (g_unix_open_pipe (self->fds[0], FD_CLOEXEC, NULL));
  self->watches[0] =
      ice_watch_new (self->loop, self->fds[0][0], G_IO_IN, note_byte, self);
  self->timer = ice_timer_new (self->loop, tick_at_once, self);
  ice_timer_set (self->timer, 0);
}

static void
stop_watching (gpointer user_data)
{
  Watches *self = user_data;

  ice_timer_free (self->timer);
  ice_watch_free (self->watches[0]);
  close (self->fds[0][0]);
  close (self->fds[0][1]);
}

/* A timer that is always due leaves room for descriptors and calls. */
static void
test_timer_starves_nobody (void)
{
  Watches watches = { .loop = ice_loop_acquire () };
  guint i;

  io_run (watches.loop, watch_beside_busy_timer, &watches);
  for (i = 0; i < 10; i++) {
    g_assert_cmpint (write (watches.fds[0][1], "x", 1), ==, 1);
    io_lock ();
    io_wait_for (watches.n_events == i + 1);
    io_unlock ();
  }
  io_run (watches.loop, stop_watching, &watches);
  g_assert_cmpuint (watches.n_ticks, >, 0);
  ice_loop_unref (watches.loop);
  io_wait_for_no_threads ();
}

static void
free_both_watches (gint fd, GIOCondition condition, gpointer user_data)
{
  Watches *self = user_data;

  ice_watch_free (self->watches[0]);
  ice_watch_free (self->watches[1]);
  io_lock ();
  self->n_events++;
  io_unlock ();
}

static void
watch_two_ready_pipes (gpointer user_data)
{
  Watches *self = user_data;
  guint i;

  for (i = 0; i < 2; i++) {
    g_assert_true (g_unix_open_pipe (self->fds[i], FD_CLOEXEC, NULL));
    g_assert_cmpint (write (self->fds[i][1], "x", 1), ==, 1);
    self->watches[i] = ice_watch_new (
        self->loop, self->fds[i][0], G_IO_IN, free_both_watches, self);
  }
}

#define N_READY 300

typedef struct
{
  IceLoop *loop;
  gint fds[N_READY][2];
  IceWatch *watches[N_READY];
  IceTimer *timer;
  guint n_read, n_read_before_timer;
} Crowd;

static void
read_one (gint fd, GIOCondition condition, gpointer user_data)
{
  Crowd *self = user_data;
  guint8 byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  self->n_read++;
}

static void
note_crowd (gpointer user_data)
{
  Crowd *self = user_data;

  io_lock ();
  self->n_read_before_timer = MAX (self->n_read, 1);
  io_unlock ();
}

static void
watch_crowd (gpointer user_data)
{
  Crowd *self = user_data;
  const IceTime due = ice_loop_now () + 50 * ICE_MSEC;

  self->timer = ice_timer_new (self->loop, note_crowd, self);
  ice_timer_set (self->timer, due);
  for (guint i = 0; i < N_READY; i++) {
    g_assert_true (g_unix_open_pipe (self->fds[i], FD_CLOEXEC, NULL));
    g_assert_cmpint (write (self->fds[i][1], "x", 1), ==, 1);
    self->watches[i] =
        ice_watch_new (self->loop, self->fds[i][0], G_IO_IN, read_one, self);
  }
  /* The thread sleeps through its deadline, as on a machine that is busy. */
  while (ice_loop_now () <= due)
    g_usleep (1000);
}

static void
unwatch_crowd (gpointer user_data)
{
  Crowd *self = user_data;

  ice_timer_free (self->timer);
  for (guint i = 0; i < N_READY; i++) {
    ice_watch_free (self->watches[i]);
    close (self->fds[i][0]);
    close (self->fds[i][1]);
  }
}

/* What came before a deadline is read before it passes, however many there are:
 * else answers that lie in sockets would be missed. */
static void
test_ready_before_due (void)
{
  g_autofree Crowd *crowd = g_new0 (Crowd, 1);

  crowd->loop = ice_loop_acquire ();
  io_run (crowd->loop, watch_crowd, crowd);
  io_lock ();
  io_wait_for (crowd->n_read_before_timer > 0);
  io_unlock ();
  io_run (crowd->loop, unwatch_crowd, crowd);
  g_assert_cmpuint (crowd->n_read_before_timer, ==, N_READY);
  ice_loop_unref (crowd->loop);
  io_wait_for_no_threads ();
}

static void
do_nothing (gpointer user_data)
{
}

/* Both are ready in one round; the first frees the second. */
static void
test_watch_freed_in_round (void)
{
  Watches watches = { .loop = ice_loop_acquire () };
  guint i;

  io_run (watches.loop, watch_two_ready_pipes, &watches);
  io_lock ();
  io_wait_for (watches.n_events == 1);
  io_unlock ();
  io_run (watches.loop, do_nothing, NULL);
  g_assert_cmpuint (watches.n_events, ==, 1);
  for (i = 0; i < 2; i++) {
    close (watches.fds[i][0]);
    close (watches.fds[i][1]);
  }
  ice_loop_unref (watches.loop);
  io_wait_for_no_threads ();
}

/* Threads */

static void
unref_loop (gpointer user_data)
{
  ice_loop_unref (user_data);
}

static void
test_threads_end (void)
{
  guint n_fds = io_count_fds ();
  guint i;

  for (i = 0; i < 1000; i++) {
    IceLoop *loop = ice_loop_acquire ();

    g_assert_nonnull (loop);
    if (i % 2 == 0)
      ice_loop_unref (loop);
    else
      ice_loop_invoke (loop, unref_loop, loop, NULL);
  }
  io_wait_for_no_threads ();
  g_assert_cmpuint (io_count_fds (), ==, n_fds);
}

static void
test_threads_are_shared (void)
{
  IceLoop *loops[32];
  guint i, max = MIN (g_get_num_processors (), 4);

  for (i = 0; i < G_N_ELEMENTS (loops); i++)
    loops[i] = ice_loop_acquire ();
  g_assert_cmpuint (ice_loop_pool_n_threads (), ==, max);
  for (i = 0; i < G_N_ELEMENTS (loops); i++)
    ice_loop_unref (loops[i]);
  io_wait_for_no_threads ();
}

/* The service */

static gboolean
note_service_call (gpointer user_data)
{
  Calls *calls = user_data;
  guint number = calls->seen->len;

  g_assert_true (ice_service_is_current ());
  io_lock ();
  g_array_append_val (calls->seen, number);
  io_unlock ();
  return G_SOURCE_REMOVE;
}

static gboolean
call_from_service (gpointer user_data)
{
  Calls *calls = user_data;

  /* Queued, not run in here. */
  ice_service_invoke (note_service_call, calls, NULL);
  g_assert_cmpuint (calls->seen->len, ==, 0);
  return G_SOURCE_REMOVE;
}

static void
test_service (void)
{
  Calls calls = { g_array_new (FALSE, FALSE, sizeof (guint)), 0 };

  g_assert_false (ice_service_is_current ());
  ice_service_invoke (call_from_service, &calls, NULL);
  io_lock ();
  io_wait_for (calls.seen->len == 1);
  io_unlock ();
  g_array_unref (calls.seen);
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/loop/invoke-order", test_invoke_order);
  g_test_add_func ("/loop/timer-order", test_timer_order);
  g_test_add_func ("/loop/timer-starves-nobody", test_timer_starves_nobody);
  g_test_add_func ("/loop/watch-freed-in-round", test_watch_freed_in_round);
  g_test_add_func ("/loop/ready-before-due", test_ready_before_due);
  g_test_add_func ("/loop/threads-end", test_threads_end);
  g_test_add_func ("/loop/threads-are-shared", test_threads_are_shared);
  g_test_add_func ("/service/invoke", test_service);
  return g_test_run ();
}
