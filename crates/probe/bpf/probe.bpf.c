// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The kernel side: system calls at their exit, and the life of processes. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"

#define PF_KTHREAD 0x00200000
#define SYSCALLS 512
#define COMPONENTS 24
#define AF_INET 2
#define AF_INET6 10

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before load. */
const volatile __u32 own_pid = 0;

/* What each system call sends, and whether life-cycle records are sent; may change while the probe runs. */
struct settings {
	__u32 wanted[SYSCALLS];
	__u32 running;
} settings;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} calls SEC(".maps");

struct scratch {
	__u8 bytes[RECORD_SIZE * 2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	/* Two for each possible processor, so that calls and life-cycle records do not meet; set before load. */
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct counts {
	__u64 sent[CLASSES];
	__u64 lost[CLASSES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} ledger SEC(".maps");

/* ---- read memory ---- */

/* Appends a blob of `len` bytes that `read` put at its place. */
static __always_inline __u8 *blob_at(struct record *r)
{
	__u32 at = r->size & (RECORD_SIZE - 1);
	return (__u8 *)r + at + 2;
}

static __always_inline void blob_done(struct record *r, __u32 len)
{
	__u32 at = r->size & (RECORD_SIZE - 1);
	*(__u8 *)((__u8 *)r + at) = len & 0xff;
	*(__u8 *)((__u8 *)r + at + 1) = (len >> 8) & 0xff;
	r->size += 2 + (len & 0x1fff);
	r->blobs++;
}

static __always_inline void user_text(struct record *r, const void *from)
{
	long len = bpf_probe_read_user_str(blob_at(r), MAX_TEXT, from);
	blob_done(r, len > 0 ? len & 0x1fff : 0);
}

static __always_inline void user_bytes(struct record *r, const void *from, __u64 want)
{
	__u32 len = want < MAX_TEXT ? want : MAX_TEXT - 1;

	len &= MAX_TEXT - 1;
	if (len == 0 || bpf_probe_read_user(blob_at(r), len, from) != 0)
		len = 0;
	blob_done(r, len);
}

/* ---- extract kernel facts ---- */

static __always_inline struct file *file_of(struct task_struct *task, __s64 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = 0;

	if (fd < 0 || !table || fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	struct file **fds = BPF_CORE_READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), &fds[fd]);
	return file;
}

static __always_inline __u32 id_in_namespace(struct pid *pid)
{
	unsigned int level = BPF_CORE_READ(pid, level);
	struct upid upid = {};

	bpf_core_read(&upid, sizeof(upid), &pid->numbers[level & 31]);
	return upid.nr;
}

static __always_inline __u32 id_on_host(struct pid *pid)
{
	struct upid upid = {};

	bpf_core_read(&upid, sizeof(upid), &pid->numbers[0]);
	return upid.nr;
}

static __always_inline void dev_and_ino(struct record *r, struct file *file)
{
	if (!file)
		return;
	r->dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	r->ino = BPF_CORE_READ(file, f_inode, i_ino);
}

/* family, then both ends: own address, own port, peer address, peer port */
static __always_inline void tuple(struct record *r, struct file *file)
{
	__u8 *out = blob_at(r);
	struct socket *socket = file ? BPF_CORE_READ(file, private_data) : 0;
	struct sock *sk = socket ? BPF_CORE_READ(socket, sk) : 0;
	__u16 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;

	out[0] = family;
	if (family == AF_INET) {
		__u32 own = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr), peer = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		__u16 port = BPF_CORE_READ(sk, __sk_common.skc_num), to = BPF_CORE_READ(sk, __sk_common.skc_dport);

		__builtin_memcpy(out + 1, &own, 4);
		__builtin_memcpy(out + 5, &port, 2);
		__builtin_memcpy(out + 7, &peer, 4);
		__builtin_memcpy(out + 11, &to, 2);
		blob_done(r, 13);
	} else if (family == AF_INET6) {
		struct in6_addr own = BPF_CORE_READ(sk, __sk_common.skc_v6_rcv_saddr);
		struct in6_addr peer = BPF_CORE_READ(sk, __sk_common.skc_v6_daddr);
		__u16 port = BPF_CORE_READ(sk, __sk_common.skc_num), to = BPF_CORE_READ(sk, __sk_common.skc_dport);

		__builtin_memcpy(out + 1, &own, 16);
		__builtin_memcpy(out + 17, &port, 2);
		__builtin_memcpy(out + 19, &peer, 16);
		__builtin_memcpy(out + 35, &to, 2);
		blob_done(r, 37);
	} else {
		blob_done(r, 1);
	}
}

/* Names from the file up to the root of its mount tree, each ended by NUL. */
static __always_inline void path_of(struct record *r, struct file *file)
{
	struct dentry *dentry = file ? BPF_CORE_READ(file, f_path.dentry) : 0;
	struct vfsmount *vfs = file ? BPF_CORE_READ(file, f_path.mnt) : 0;
	struct mount *mount = vfs ? (void *)vfs - bpf_core_field_offset(struct mount, mnt) : 0;
	__u32 len = 0;
	__u8 *out = blob_at(r);

	for (int i = 0; i < COMPONENTS && dentry; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == parent) {
			struct mount *up = BPF_CORE_READ(mount, mnt_parent);

			if (up == mount)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = up;
			continue;
		}
		const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
		long n = bpf_probe_read_kernel_str(out + (len & (MAX_TEXT - 1)), 256, name);
		if (n > 0)
			len += n & 0x1ff;
		if (len >= MAX_TEXT - 256)
			break;
		dentry = parent;
	}
	blob_done(r, len & 0x1fff);
}

static __always_inline void process_of(struct record *r, struct task_struct *task)
{
	struct process *p = (struct process *)((__u8 *)r + sizeof(*r));
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct pid *group = BPF_CORE_READ(signal, pids[2]), *session = BPF_CORE_READ(signal, pids[3]);
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);

	r->pid = BPF_CORE_READ(task, tgid);
	r->tid = BPF_CORE_READ(task, pid);
	r->ppid = BPF_CORE_READ(task, real_parent, tgid);
	r->uid = BPF_CORE_READ(cred, euid.val);
	r->gid = BPF_CORE_READ(cred, egid.val);
	p->vtid = id_in_namespace(BPF_CORE_READ(task, thread_pid));
	p->vpid = id_in_namespace(BPF_CORE_READ(task, group_leader, thread_pid));
	p->pgid = id_on_host(group);
	p->vpgid = id_in_namespace(group);
	p->sid = id_in_namespace(session);
	p->loginuid = bpf_core_field_exists(task->loginuid) ? BPF_CORE_READ(task, loginuid.val) : 0xffffffff;
	p->tty = tty ? 0x8800 + BPF_CORE_READ(tty, index) : 0;
	p->flags = BPF_CORE_READ(task, thread_pid, level) > 0;
	p->fdlimit = BPF_CORE_READ(signal, rlim[7].rlim_cur);
	p->maj_flt = BPF_CORE_READ(task, maj_flt);
	p->min_flt = BPF_CORE_READ(task, min_flt);
	p->vm_pages = BPF_CORE_READ(task, mm, total_vm);
	bpf_core_read(&p->cap_inheritable, sizeof(__u64), &cred->cap_inheritable);
	bpf_core_read(&p->cap_permitted, sizeof(__u64), &cred->cap_permitted);
	bpf_core_read(&p->cap_effective, sizeof(__u64), &cred->cap_effective);
	p->exe_ino = BPF_CORE_READ(task, mm, exe_file, f_inode, i_ino);
	BPF_CORE_READ_STR_INTO(&p->comm, task, comm);
	r->size = sizeof(*r) + sizeof(*p);
}

/* ---- send ---- */

static __always_inline struct record *begin(__u32 kind)
{
	__u32 slot = bpf_get_smp_processor_id() * 2 + (kind >= KIND_EXEC);
	struct record *r = bpf_map_lookup_elem(&scratches, &slot);

	if (!r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	r->ts = bpf_ktime_get_boot_ns();
	r->kind = kind;
	r->size = sizeof(*r);
	return r;
}

static __always_inline void count(__u32 class, bool lost)
{
	__u32 zero = 0;
	struct counts *counts = bpf_map_lookup_elem(&ledger, &zero);

	if (!counts || class >= CLASSES)
		return;
	if (lost)
		counts->lost[class]++;
	else
		counts->sent[class]++;
}

static __always_inline __u32 class_of(__u32 want)
{
	if (want & WANT_FILE)
		return CLASS_OPEN;
	if (want & (WANT_SOCKADDR | WANT_TUPLE | WANT_TUPLE_RET))
		return CLASS_NETWORK;
	if (want & (WANT_STRING0 * 63))
		return CLASS_FILE;
	return CLASS_OTHER;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
#if defined(__TARGET_ARCH_x86)
	__u64 nr = BPF_CORE_READ(regs, orig_ax);
#else
	__u64 nr = BPF_CORE_READ(regs, syscallno);
#endif
	if (nr >= SYSCALLS)
		return 0;
	__u32 want = *(volatile __u32 *)&settings.wanted[nr & (SYSCALLS - 1)];
	if (!want)
		return 0;
	__u64 ids = bpf_get_current_pid_tgid();
	if (ids >> 32 == own_pid)
		return 0;
	struct record *r = begin(nr);
	if (!r)
		return 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	r->pid = ids >> 32;
	r->tid = ids;
	r->ret = ret;
#if defined(__TARGET_ARCH_x86)
	r->args[0] = BPF_CORE_READ(regs, di);
	r->args[1] = BPF_CORE_READ(regs, si);
	r->args[2] = BPF_CORE_READ(regs, dx);
	r->args[3] = BPF_CORE_READ(regs, r10);
	r->args[4] = BPF_CORE_READ(regs, r8);
	r->args[5] = BPF_CORE_READ(regs, r9);
#else
	r->args[0] = BPF_CORE_READ(regs, orig_x0);
	r->args[1] = BPF_CORE_READ(regs, regs[1]);
	r->args[2] = BPF_CORE_READ(regs, regs[2]);
	r->args[3] = BPF_CORE_READ(regs, regs[3]);
	r->args[4] = BPF_CORE_READ(regs, regs[4]);
	r->args[5] = BPF_CORE_READ(regs, regs[5]);
#endif
#pragma unroll
	for (int i = 0; i < 5; i++)
		if (want & (WANT_STRING0 << i))
			user_text(r, (void *)r->args[i]);
	if (want & WANT_SOCKADDR)
		user_bytes(r, (void *)r->args[1], r->args[2] & 0xff);
	if (want & WANT_TUPLE)
		tuple(r, file_of(task, (__s32)r->args[0]));
	if (want & WANT_TUPLE_RET)
		tuple(r, file_of(task, ret));
	if (want & WANT_FILE)
		dev_and_ino(r, file_of(task, ret));
	if (want & WANT_INTS)
		user_bytes(r, (void *)r->args[0], 8);
	if (want & WANT_INTS3)
		user_bytes(r, (void *)r->args[3], 8);
	bool lost = bpf_ringbuf_output(&calls, r, r->size & (RECORD_SIZE - 1), 0) != 0;
	count(class_of(want), lost);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task)
{
	if (!*(volatile __u32 *)&settings.running)
		return 0;
	struct record *r = begin(KIND_EXEC);
	if (!r)
		return 0;
	process_of(r, task);
	if (r->pid == own_pid)
		return 0;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u64 args = BPF_CORE_READ(mm, arg_start), env = BPF_CORE_READ(mm, env_start);
	user_bytes(r, (void *)args, BPF_CORE_READ(mm, arg_end) - args);
	user_bytes(r, (void *)env, BPF_CORE_READ(mm, env_end) - env);
	path_of(r, BPF_CORE_READ(mm, exe_file));
	count(CLASS_PROCESS, bpf_ringbuf_output(&processes, r, r->size & (RECORD_SIZE - 1), 0) != 0);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	if (!*(volatile __u32 *)&settings.running)
		return 0;
	struct record *r = begin(KIND_FORK);
	if (!r)
		return 0;
	process_of(r, child);
	if (BPF_CORE_READ(child, flags) & PF_KTHREAD)
		return 0;
	r->args[0] = BPF_CORE_READ(child, files) == BPF_CORE_READ(parent, files);
	count(CLASS_PROCESS, bpf_ringbuf_output(&processes, r, r->size & (RECORD_SIZE - 1), 0) != 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	if (!*(volatile __u32 *)&settings.running)
		return 0;
	struct record *r = begin(KIND_EXIT);
	if (!r)
		return 0;
	r->pid = BPF_CORE_READ(task, tgid);
	r->tid = BPF_CORE_READ(task, pid);
	r->ret = BPF_CORE_READ(task, exit_code);
	count(CLASS_PROCESS, bpf_ringbuf_output(&processes, r, r->size & (RECORD_SIZE - 1), 0) != 0);
	return 0;
}
