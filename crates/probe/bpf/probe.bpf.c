// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The kernel side: system calls at their exit, the life of processes, and what is true now. Read in this order. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "send.h"
#include "read.h"
#include "files.h"
#include "sockets.h"
#include "tasks.h"
#include "sieve.h"

/* A plain load; tp_btf arguments allow it. */
#define DIRECT(pointer, field) ((pointer)->field)

#include "calls.h"
#include "functions.h"
#include "life.h"
#include "uring.h"
#include "snapshot.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
