// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Nothing at the exit of every system call: what the hook alone costs, to compare with. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_exit")
int nothing(void *context)
{
	return 0;
}
