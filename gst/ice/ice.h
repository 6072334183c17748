/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define __GST_ICE_H_INSIDE__
#include <gst/ice/gsticeprelude.h>
#include <gst/ice/gsticetypes.h>
#include <gst/ice/gsticeerror.h>
#include <gst/ice/gsticecandidate.h>
#include <gst/ice/gsticetransport.h>
#include <gst/ice/gsticestream.h>
#include <gst/ice/gsticeagent.h>
#include <gst/ice/gsticesignaller.h>
#include <gst/ice/gsticesession.h>
#include <gst/ice/gsticepacing.h>
#include <gst/ice/gsticenat.h>
#include <gst/ice/gsticetrafficmeta.h>
#include <gst/ice/gsticeportmapper.h>
#include <gst/ice/gsticeenumtypes.h>
#undef __GST_ICE_H_INSIDE__
