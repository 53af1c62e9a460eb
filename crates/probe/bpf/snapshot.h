/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is true now: iterators that write a record for every thread, and one for every open file. */
#ifndef EYAS_SNAPSHOT_H
#define EYAS_SNAPSHOT_H

/* Contexts of iterators (include/linux/bpf.h). */
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u64 fd;
	struct file *file;
};

/* One iterator runs at a time, and no program interrupts it with the same record. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} snapshot SEC(".maps");

static __always_inline struct record *snapshot_record(__u16 kind, struct task_struct *task)
{
	__u32 zero = 0;
	struct record *r = bpf_map_lookup_elem(&snapshot, &zero);

	if (!r)
		return 0;
	r->ts = 0;
	r->kind = kind;
	r->flags = 0;
	r->ret = 0;
	r->size = sizeof(*r);
	r->pid = BPF_CORE_READ(task, tgid);
	r->tid = BPF_CORE_READ(task, pid);
	return r;
}

static __always_inline void snapshot_write(struct bpf_iter_meta *meta, struct record *r)
{
	bpf_seq_write(meta->seq, r, r->size & (RECORD_SIZE - 1));
}

/* ---- threads ---- */

static __always_inline void memory_of(struct record *r, struct task_struct *task, __u64 start, __u64 end)
{
	__u64 len = end - start < MAX_TEXT ? end - start : MAX_TEXT;

	if (!len || bpf_copy_from_user_task(blob(r), len, (void *)start, task, 0) != 0)
		len = 0;
	blob_end(r, len);
}

/* A file without a name any more, which is not the root of its file system (d_unlinked()). */
static __always_inline bool is_deleted(struct dentry *dentry)
{
	return !BPF_CORE_READ(dentry, d_hash.pprev) && BPF_CORE_READ(dentry, d_parent) != dentry;
}

SEC("iter.s/task")
int snapshot_task(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;

	if (!task)
		return 0;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct record *r = snapshot_record(KIND_TASK, task);
	if (!r)
		return 0;
	if (!mm || !fs || BPF_CORE_READ(task, flags) & (PF_KTHREAD | PF_EXITING)) {
		/* Threads of the kernel and dead ones: the number only. */
		snapshot_write(context->meta, r);
		return 0;
	}
	r->args[0] = id_on_host(BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]));
	r->args[1] = BPF_CORE_READ(task, real_parent, tgid);
	r->args[2] = BPF_CORE_READ(task, start_boottime);
	r->args[3] = is_deleted(BPF_CORE_READ(fs, pwd.dentry));
	r->args[4] = BPF_CORE_READ(mm, arg_end) == BPF_CORE_READ(mm, env_start);
	process_of(r, task);
	memory_of(r, task, BPF_CORE_READ(mm, arg_start), BPF_CORE_READ(mm, arg_end));
	memory_of(r, task, BPF_CORE_READ(mm, env_start), BPF_CORE_READ(mm, env_end));
	cgroups_of(r, task);
	path_of(r, BPF_CORE_READ(mm, exe_file));
	names_of(r, BPF_CORE_READ(fs, pwd.dentry), BPF_CORE_READ(fs, pwd.mnt));
	names_of(r, BPF_CORE_READ(fs, root.dentry), BPF_CORE_READ(fs, root.mnt));
	snapshot_write(context->meta, r);
	return 0;
}

/* ---- open files ---- */

/* The open of a descriptor that was sieved out is not known, and its close will not be. */
static __always_inline bool is_sieved(struct task_struct *task, __u64 fd)
{
	__u64 self = identity(task);

	return fd < DESCRIPTORS && *mark_of(self, fd) == (self | fd);
}

static __always_inline void socket_facts(struct record *r, struct sock *sk)
{
	struct unix_address *address = BPF_CORE_READ((struct unix_sock *)sk, addr);
	char first = 1;

	r->args[2] = BPF_CORE_READ(sk, sk_protocol);
	r->args[3] = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX && address)
		bpf_probe_read_kernel(&first, 1, (void *)address + bpf_core_field_offset(address->name) + 2);
	r->args[4] = !first;
}

SEC("iter/task_file")
int snapshot_file(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;

	if (!task || !file || is_sieved(task, context->fd))
		return 0;
	struct record *r = snapshot_record(KIND_FILE, task);
	if (!r)
		return 0;
	struct sock *sk = sock_of(file);
	r->args[0] = context->fd;
	r->args[1] = BPF_CORE_READ(file, f_inode, i_mode);
	r->args[2] = r->args[3] = r->args[4] = 0;
	file_facts(r, file);
	if (sk) {
		socket_facts(r, sk);
		tuple(r, file);
	} else {
		long len = bpf_d_path(&file->f_path, (char *)blob(r), MAX_TEXT);

		blob_end(r, len > 0 ? len : 0);
	}
	snapshot_write(context->meta, r);
	return 0;
}

#endif
