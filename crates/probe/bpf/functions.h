/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* System calls at the end of the functions that do them: those that nobody wants have no hook at all. */
#ifndef EYAS_FUNCTIONS_H
#define EYAS_FUNCTIONS_H

/* Stubs at the functions of wanted calls (`src/functions.rs`) end here. A program serves functions of one type only, and
 * there are two, which differ in the name of their argument; each is loaded for one function of its type. A function
 * without arguments serves 32-bit callers too, which `ia32_sys_call` tells of. */
static __always_inline int native_ended(struct pt_regs *regs, long ret)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	return is_compat(task, DIRECT) ? 0 : ended(regs, ret);
}

SEC("fexit")
int BPF_PROG(function_of_call, struct pt_regs *regs, long ret)
{
	return native_ended(regs, ret);
}

SEC("fexit")
int BPF_PROG(function_of_call_other, struct pt_regs *regs, long ret)
{
	return native_ended(regs, ret);
}

/* Every call of a 32-bit caller. */
SEC("fexit/ia32_sys_call")
int BPF_PROG(function_ia32_sys_call, struct pt_regs *regs, __u32 nr, long ret)
{
	return ended(regs, ret);
}

/* What seccomp does not let through reaches no function; its filter has set the result. */
static __always_inline int judged(int verdict)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return verdict ? ended(regs, RESULT(regs)) : 0;
}

SEC("fexit/__secure_computing")
int BPF_PROG(function_secure_computing, int verdict)
{
	return judged(verdict);
}

/* Until 6.16: takes data that callers may have at hand. */
SEC("fexit/__secure_computing")
int BPF_PROG(function_secure_computing_old, void *data, int verdict)
{
	return judged(verdict);
}

#endif
