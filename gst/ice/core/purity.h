/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Included last by every file of the core: what would let the world in does
 * not compile. Only unmistakable names are listed; g_assert and g_error are
 * macros, which GCC only poisons with a warning: the layering test greps. */
#pragma once

#pragma GCC poison g_get_monotonic_time g_get_real_time clock_gettime
#pragma GCC poison gettimeofday sendto recvfrom sendmsg recvmsg sendmmsg
#pragma GCC poison recvmmsg getaddrinfo getifaddrs
#pragma GCC poison g_random_int g_random_int_range g_rand_new rand srand
#pragma GCC poison g_mutex_lock g_rec_mutex_lock g_thread_new g_usleep
#pragma GCC poison g_timeout_add g_idle_add g_source_attach g_signal_emit
#pragma GCC poison ice_random_bytes
