/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Birth, exec and death of tasks. */
#ifndef EYAS_LIFE_H
#define EYAS_LIFE_H

#define THREADS 30
#define ANCESTORS 60
#if defined(__TARGET_ARCH_x86)
#define STACK_SIZE 16384
#define SYS_CLONE 56
#define SYS_FORK 57
#define SYS_VFORK 58
#define SYS_CLONE3 435
#else
#define SYS_CLONE 220
#define SYS_CLONE3 435
#endif
#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000

/* ---- exec ---- */

static __always_inline int exec(struct task_struct *task, struct linux_binprm *bprm)
{
	struct record *r = begin(KIND_EXEC, SLOT_LIFE);
	__u64 ids = bpf_get_current_pid_tgid();

	if (!r || !plan_word(running) || ids >> 32 == own_pid)
		return 0;
	begins(task);
	unmark_all(identity(task));
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	r->pid = ids >> 32;
	r->tid = ids;
	process_of(r, task);
	arguments_of(r, mm);
	environment_of(r, mm);
	cgroups_of(r, task);
	path_of(r, BPF_CORE_READ(mm, exe_file));
	kernel_text(r, BPF_CORE_READ(bprm, filename));
	send(&processes, r, CLASS_LIFE);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old, struct linux_binprm *bprm)
{
	return exec(task, bprm);
}

SEC("raw_tp/sched_process_exec")
int raw_sched_process_exec(struct bpf_raw_tracepoint_args *context)
{
	return exec((void *)bpf_get_current_task_btf(), (void *)context->args[2]);
}

/* ---- fork ---- */

/* Registers of the caller; the helper came in 5.15 (dd6e10fbd9fb). */
static __always_inline struct pt_regs *registers(struct task_struct *task)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, stack) + STACK_SIZE - bpf_core_type_size(struct pt_regs);
#else
	return 0;
#endif
}

/* The call that makes the child, with its clone flags. */
static __always_inline void birth(struct record *r, struct task_struct *parent, struct process *p)
{
	struct pt_regs *regs = registers(parent);
	__u64 nr = regs_number(regs, BPF_CORE_READ);

	if (is_compat(parent, BPF_CORE_READ)) {
		compat_arguments(r, regs);
		nr = *(volatile __u16 *)&plan.compat[nr & (SYSCALLS - 1)];
	} else {
		ARGUMENTS(r, regs, BPF_CORE_READ);
	}
	r->ret = nr;
	if (nr == SYS_CLONE)
		p->clone_flags = r->args[0];
	else if (nr == SYS_CLONE3)
		bpf_probe_read_user(&p->clone_flags, sizeof(p->clone_flags), (void *)r->args[0]);
#ifdef SYS_VFORK
	else if (nr == SYS_VFORK)
		p->clone_flags = CLONE_VM | CLONE_VFORK;
#endif
}

static __always_inline int fork(struct task_struct *parent, struct task_struct *child, bool direct)
{
	struct record *r = begin(KIND_FORK, SLOT_LIFE);

	if (!r || !plan_word(running) || BPF_CORE_READ(child, flags) & PF_KTHREAD)
		return 0;
	struct process *p = (void *)blob(r);
	process_of(r, child);
	birth(r, parent, p);
	r->pid = p->pid;
	r->tid = p->tid;
	if (r->pid == own_pid)
		return 0;
	arguments_of(r, BPF_CORE_READ(child, mm));
	if (r->pid == r->tid)
		cgroups_of(r, child);
	/* Only a pointer that the kernel trusts leads to what is remembered of a task. */
	if (direct && r->pid == r->tid)
		begins(child);
	else if (direct)
		joins(child);
	send(&processes, r, CLASS_LIFE);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	return fork(parent, child, 1);
}

SEC("raw_tp/sched_process_fork")
int raw_sched_process_fork(struct bpf_raw_tracepoint_args *context)
{
	return fork((void *)context->args[0], (void *)context->args[1], 0);
}

/* ---- exit ---- */

/* A living thread of the group with these signals, except one. */
__noinline __u32 living(__u64 signal, __u32 except)
{
	struct list_head *head = (void *)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	struct list_head *at = BPF_CORE_READ(head, next);

	for (int i = 0; i < THREADS && at && at != head; i++) {
		struct task_struct *one = (void *)at - bpf_core_field_offset(struct task_struct, thread_node);

		__u32 tid = BPF_CORE_READ(one, pid);

		if (tid != except && !(BPF_CORE_READ(one, flags) & PF_EXITING))
			return tid;
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

/* Who inherits the children (find_new_reaper() in kernel/exit.c): 0 without children, -1 when not found. */
static __always_inline __s64 reaper_of(struct task_struct *task)
{
	struct list_head *children = (void *)task + bpf_core_field_offset(struct task_struct, children);

	if (BPF_CORE_READ(children, next) == children)
		return 0;
	__u32 sibling = living((__u64)BPF_CORE_READ(task, signal), BPF_CORE_READ(task, pid));
	if (sibling)
		return sibling;
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct task_struct *init = BPF_CORE_READ(number_of(pid).ns, child_reaper);
	__u32 level = BPF_CORE_READ(pid, level);
	if (init == task)
		return -1;
	struct task_struct *at = BPF_CORE_READ(task, real_parent);
	for (int i = 0; i < ANCESTORS && at && at != init; i++) {
		if (BPF_CORE_READ(at, thread_pid, level) != level)
			break;
		struct signal_struct *up = BPF_CORE_READ(at, signal);
		__u32 thread = BPF_CORE_READ_BITFIELD_PROBED(up, is_child_subreaper) ? living((__u64)up, 0) : 0;
		if (thread)
			return thread;
		at = BPF_CORE_READ(at, real_parent);
	}
	return BPF_CORE_READ(init, pid);
}

static __always_inline int exit(struct task_struct *task)
{
	struct record *r = begin(KIND_EXIT, SLOT_LIFE);

	if (!r || !plan_word(running) || BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return 0;
	r->pid = BPF_CORE_READ(task, tgid);
	r->tid = BPF_CORE_READ(task, pid);
	if (r->pid == own_pid)
		return 0;
	r->ret = BPF_CORE_READ(task, exit_code);
	r->args[0] = reaper_of(task);
	send(&processes, r, CLASS_LIFE);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	return exit(task);
}

SEC("raw_tp/sched_process_exit")
int raw_sched_process_exit(struct bpf_raw_tracepoint_args *context)
{
	return exit((void *)context->args[0]);
}

#endif
