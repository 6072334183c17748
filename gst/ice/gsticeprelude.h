/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include <gio/gio.h>

#ifndef GST_ICE_API
#ifdef BUILDING_GST_ICE
#define GST_ICE_API GST_API_EXPORT
#else
#define GST_ICE_API GST_API_IMPORT
#endif
#endif
