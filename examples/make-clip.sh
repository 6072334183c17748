#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How clip.webm was made: five seconds of VP8 and Opus, our own work.
#
# A test card with a flying ball: plain shapes compress well, and that something
# moves can be seen. The first frame is a keyframe and each second brings
# another one (keyframe-max-dist=30): a file cannot answer a request for one.
set -eu

out=${1:-"$(dirname "$0")/clip.webm"}

gst-launch-1.0 -q \
  webmmux name=mux writing-app=gst-ice ! filesink location="$out" \
  compositor name=mix sink_1::xpos=80 sink_1::ypos=60 sink_1::alpha=0.85 \
    ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 \
    ! vp8enc target-bitrate=250000 keyframe-max-dist=30 cpu-used=0 threads=2 \
      deadline=1000000 buffer-size=500 \
    ! queue ! mux. \
  videotestsrc pattern=smpte num-buffers=150 \
    ! video/x-raw,width=320,height=240,framerate=30/1 ! queue ! mix.sink_0 \
  videotestsrc pattern=ball motion=sweep num-buffers=150 \
    ! video/x-raw,width=160,height=120,framerate=30/1 ! queue ! mix.sink_1 \
  audiotestsrc wave=sine freq=440 volume=0.2 samplesperbuffer=960 num-buffers=250 \
    ! audio/x-raw,rate=48000,channels=1 ! audioconvert \
    ! opusenc bitrate=32000 frame-size=20 ! queue ! mux.

ls -l "$out"
