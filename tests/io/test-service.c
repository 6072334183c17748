/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst/ice/io/service.h"

#define N_THREADS 4
#define N_CALLS 5000

static GMutex lock;
static GCond cond;

typedef struct
{
  gint next[N_THREADS]; /* service thread */
  gint n_done;          /* under lock */
} Count;

typedef struct
{
  Count *count;
  gint thread, number;
} Note;

static gboolean
take_note (gpointer user_data)
{
  Note *note = user_data;

  g_assert_true (ice_service_is_current ());
  g_assert_cmpint (note->count->next[note->thread]++, ==, note->number);
  /* It runs once, whatever it says. */
  return G_SOURCE_CONTINUE;
}

static void
note_done (gpointer user_data)
{
  Note *note = user_data;

  g_mutex_lock (&lock);
  note->count->n_done++;
  g_cond_signal (&cond);
  g_mutex_unlock (&lock);
  g_free (note);
}

typedef struct
{
  Count *count;
  gint thread;
} Caller;

static gpointer
call_often (gpointer user_data)
{
  const Caller *caller = user_data;

  for (gint i = 0; i < N_CALLS; i++) {
    Note *note = g_new (Note, 1);

    *note = (Note){ caller->count, caller->thread, i };
    ice_service_invoke (take_note, note, note_done);
  }
  return NULL;
}

/* Each thread's calls run once and in its order; none is forgotten when the
 * last one before it has just been taken. */
static void
test_order (void)
{
  Caller callers[N_THREADS];
  GThread *threads[N_THREADS];
  Count count = { { 0 } };

  for (gint i = 0; i < N_THREADS; i++) {
    callers[i] = (Caller){ &count, i };
    threads[i] = g_thread_new ("caller", call_often, &callers[i]);
  }
  for (gint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_mutex_lock (&lock);
  while (count.n_done < N_THREADS * N_CALLS)
    g_cond_wait (&cond, &lock);
  g_mutex_unlock (&lock);
  for (gint i = 0; i < N_THREADS; i++)
    g_assert_cmpint (count.next[i], ==, N_CALLS);
}

typedef struct
{
  GMainLoop *loop; /* (owned) */
  gboolean quit;
  gint n_done;
} Nest;

static gboolean
run_loop (gpointer user_data)
{
  Nest *nest = user_data;

  g_main_loop_run (nest->loop);
  g_assert_true (nest->quit);
  return G_SOURCE_REMOVE;
}

static gboolean
quit_loop (gpointer user_data)
{
  Nest *nest = user_data;

  nest->quit = TRUE;
  g_main_loop_quit (nest->loop);
  return G_SOURCE_REMOVE;
}

static void
nest_done (gpointer user_data)
{
  Nest *nest = user_data;

  g_mutex_lock (&lock);
  nest->n_done++;
  g_cond_signal (&cond);
  g_mutex_unlock (&lock);
}

/* A signal handler may run a main loop, and what it waits for comes after it
 * (design 9.12). */
static void
test_nested (void)
{
  Nest nest = { g_main_loop_new (ice_service_context (), FALSE), FALSE, 0 };

  ice_service_invoke (run_loop, &nest, nest_done);
  ice_service_invoke (quit_loop, &nest, nest_done);
  g_mutex_lock (&lock);
  while (nest.n_done < 2)
    g_cond_wait (&cond, &lock);
  g_mutex_unlock (&lock);
  g_main_loop_unref (nest.loop);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/service/order", test_order);
  g_test_add_func ("/service/nested", test_nested);
  return g_test_run ();
}
