/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who runs: ids in every namespace, credentials, program, cgroups. */
#ifndef EYAS_TASKS_H
#define EYAS_TASKS_H

#define PF_EXITING 0x4
#define PF_KTHREAD 0x00200000
#define SB_RDONLY 1
#define S_IMMUTABLE 8
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3
#define RLIMIT_NOFILE 7
#define GROUPS 16
#define CGROUP_LEVELS 16
#define PAGE_KB 4
#define MM_SWAPENTS 2
#define PIDTYPE_SID 3

/* Eight characters as they stand in memory. */
#define WORD(a, b, c, d, e, f, g, h) \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | (__u64)(f) << 40 | \
	 (__u64)(g) << 48 | (__u64)(h) << 56)

static __always_inline struct upid number_of(struct pid *pid)
{
	unsigned int level = BPF_CORE_READ(pid, level);
	struct upid upid = {};

	bpf_core_read(&upid.nr, sizeof(upid.nr), &pid->numbers[level & 31].nr);
	bpf_core_read(&upid.ns, sizeof(upid.ns), &pid->numbers[level & 31].ns);
	return upid;
}

static __always_inline __u32 id_on_host(struct pid *pid)
{
	__u32 nr = 0;

	bpf_core_read(&nr, sizeof(nr), &pid->numbers[0].nr);
	return nr;
}

static __always_inline __u32 tty_of(struct signal_struct *signal)
{
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);

	if (!tty)
		return 0;
	__u32 major = BPF_CORE_READ(tty, driver, major);
	__u32 minor = BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index);
	return (minor & 0xff) | major << 8 | (minor & ~0xff) << 12;
}

static __always_inline __u64 counter(struct mm_struct *mm, int i)
{
	struct mm_struct___old *old = (void *)mm;
	__s64 value = 0;

	if (bpf_core_type_exists(struct mm_rss_stat))
		bpf_probe_read_kernel(&value, sizeof(value), (__s64 *)__builtin_preserve_access_index(&old->rss_stat) + i);
	else
		bpf_core_read(&value, sizeof(value), &mm->rss_stat[i].count);
	return value > 0 ? value : 0;
}

static __always_inline bool in_group(const struct cred *cred, __u32 gid)
{
	struct group_info *groups = BPF_CORE_READ(cred, group_info);
	int n = BPF_CORE_READ(groups, ngroups);

	if (BPF_CORE_READ(cred, egid.val) == gid)
		return 1;
	for (int i = 0; i < GROUPS && i < n; i++) {
		__u32 one = 0;

		bpf_core_read(&one, sizeof(one), &groups->gid[i]);
		if (one == gid)
			return 1;
	}
	return 0;
}

/* Whether the process may write the file: the checks of generic_permission(), without access lists. */
static __always_inline bool writable(const struct cred *cred, struct inode *inode)
{
	__u64 caps = 0;
	__u16 mode = BPF_CORE_READ(inode, i_mode);

	if (BPF_CORE_READ(inode, i_sb, s_flags) & SB_RDONLY || BPF_CORE_READ(inode, i_flags) & S_IMMUTABLE)
		return 0;
	bpf_core_read(&caps, sizeof(caps), &cred->cap_effective);
	if (caps & (1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER))
		return 1;
	if (BPF_CORE_READ(cred, euid.val) == BPF_CORE_READ(inode, i_uid.val))
		return mode & 0200;
	if (in_group(cred, BPF_CORE_READ(inode, i_gid.val)))
		return mode & 0020;
	return mode & 0002;
}

/* Memory files live on an internal mount and have names that start with "memfd:". */
static __always_inline bool from_memfd(struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	char name[8] = {};

	if (dentry != BPF_CORE_READ(dentry, d_parent))
		return 0;
	bpf_probe_read_kernel_str(name, 7, BPF_CORE_READ(dentry, d_name.name));
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

static __always_inline void program_facts(struct process *p, const struct cred *cred, struct file *exe)
{
	struct inode *inode = exe ? BPF_CORE_READ(exe, f_inode) : 0;

	p->exe_flags = 0;
	p->exe_ino = p->exe_ctime = p->exe_mtime = 0;
	if (!inode)
		return;
	p->exe_ino = BPF_CORE_READ(inode, i_ino);
	p->exe_ctime = changed(inode);
	p->exe_mtime = modified(inode);
	if (writable(cred, inode))
		p->exe_flags |= EXE_WRITABLE;
	if (from_memfd(exe))
		p->exe_flags |= EXE_MEMFD;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAY_MAGIC)
		p->exe_flags |= in_upper_layer(inode) ? EXE_UPPER : EXE_LOWER;
}

static __noinline int process_of(struct record *r, struct task_struct *task)
{
	struct process *p = (void *)blob(r);
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct pid *group = BPF_CORE_READ(signal, pids[2]);
	struct upid own = number_of(BPF_CORE_READ(task, thread_pid));

	p->pid = BPF_CORE_READ(task, tgid);
	p->tid = BPF_CORE_READ(task, pid);
	p->ptid = BPF_CORE_READ(task, real_parent, pid);
	p->uid = BPF_CORE_READ(cred, euid.val);
	p->gid = BPF_CORE_READ(cred, egid.val);
	p->vtid = own.nr;
	p->vpid = number_of(BPF_CORE_READ(task, group_leader, thread_pid)).nr;
	p->pgid = id_on_host(group);
	p->vpgid = number_of(group).nr;
	p->loginuid = bpf_core_field_exists(task->loginuid) ? BPF_CORE_READ(task, loginuid.val) : 0xffffffff;
	p->tty = tty_of(signal);
	p->in_namespace = BPF_CORE_READ(task, thread_pid, level) > 0;
	p->namespace_start = p->in_namespace ? BPF_CORE_READ(own.ns, child_reaper, start_boottime) : 0;
	p->fdlimit = BPF_CORE_READ(signal, rlim[RLIMIT_NOFILE].rlim_cur);
	p->maj_flt = BPF_CORE_READ(task, maj_flt);
	p->min_flt = BPF_CORE_READ(task, min_flt);
	p->vm_size = BPF_CORE_READ(mm, total_vm) * PAGE_KB;
	p->vm_rss = (counter(mm, 0) + counter(mm, 1) + counter(mm, 3)) * PAGE_KB;
	p->vm_swap = counter(mm, MM_SWAPENTS) * PAGE_KB;
	p->clone_flags = 0;
	bpf_core_read(&p->cap_inheritable, sizeof(__u64), &cred->cap_inheritable);
	bpf_core_read(&p->cap_permitted, sizeof(__u64), &cred->cap_permitted);
	bpf_core_read(&p->cap_effective, sizeof(__u64), &cred->cap_effective);
	program_facts(p, cred, BPF_CORE_READ(mm, exe_file));
	BPF_CORE_READ_STR_INTO(&p->comm, task, comm);
	blob_end(r, sizeof(*p));
	return 0;
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___old *old = (void *)node;

	return bpf_core_field_exists(old->parent) ? (void *)BPF_CORE_READ(old, parent) : BPF_CORE_READ(node, __parent);
}

/* Names of one cgroup up to the root, the last first, and an empty one. */
static __always_inline void cgroup_names(struct record *r, __u32 at, struct cgroup *cgroup)
{
	struct kernfs_node *node = BPF_CORE_READ(cgroup, kn);

	for (int i = 0; i < CGROUP_LEVELS && node; i++) {
		struct kernfs_node *parent = parent_of(node);

		if (!parent || parts_size(r, at) > MAX_TEXT - MAX_NAME)
			break;
		part_end(r, bpf_probe_read_kernel_str(part(r), MAX_NAME, BPF_CORE_READ(node, name)));
		node = parent;
	}
	part_byte(r, 0);
}

static __always_inline struct cgroup *cgroup_of(struct css_set *set, int subsystem)
{
	struct cgroup_subsys_state *state = 0;

	bpf_core_read(&state, sizeof(state), &set->subsys[subsystem & 15]);
	return state ? BPF_CORE_READ(state, cgroup) : 0;
}

/* Number of a subsystem of a css_set, -1 when this kernel has none; one behind the last is the unified hierarchy. */
#define SUBSYSTEM(name) (bpf_core_enum_value_exists(enum cgroup_subsys_id, name) ? bpf_core_enum_value(enum cgroup_subsys_id, name) : -1)
#define HIERARCHIES 6

/* The cgroup of cpuset, cpu, cpuacct, io, memory and the unified hierarchy, in this order. */
static __always_inline struct cgroup *hierarchy(struct css_set *set, int i)
{
	int subsystem = i == 0 ? SUBSYSTEM(cpuset_cgrp_id) :
			i == 1 ? SUBSYSTEM(cpu_cgrp_id) :
			i == 2 ? SUBSYSTEM(cpuacct_cgrp_id) :
			i == 3 ? SUBSYSTEM(io_cgrp_id) :
				 SUBSYSTEM(memory_cgrp_id);

	if (i == HIERARCHIES - 1)
		return BPF_CORE_READ(set, dfl_cgrp);
	return subsystem >= 0 ? cgroup_of(set, subsystem) : 0;
}

/* Of each hierarchy: 0 when there is none, 1 when it is the one before, else 2 and the names, ended by an empty one. */
static __noinline int cgroups_of(struct record *r, struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup *before = 0;
	__u32 at = parts_begin(r);

	for (int i = 0; i < HIERARCHIES; i++) {
		struct cgroup *one = hierarchy(set, i);

		part_byte(r, !one ? 0 : one == before ? 1 : 2);
		if (one && one != before)
			cgroup_names(r, at, one);
		if (one)
			before = one;
	}
	parts_end(r, at);
	return 0;
}

/* Whether a cgroup has a name that systemd gives outside of containers. What has an id of a container in it is longer. */
static __always_inline bool is_host_name(const char *from)
{
	__u64 name[8] = {}, tail = 0;
	long len = bpf_probe_read_kernel_str(name, sizeof(name), from);

	if (len <= 8 || len >= sizeof(name) || (name[0] & 0xffffff) == WORD('l', 'x', 'c', 0, 0, 0, 0, 0))
		return 0;
	bpf_probe_read_kernel(&tail, sizeof(tail), from + len - 1 - sizeof(tail));
	return tail >> 16 == WORD('.', 's', 'l', 'i', 'c', 'e', 0, 0) ||
	       tail == WORD('.', 's', 'e', 'r', 'v', 'i', 'c', 'e') ||
	       name[0] == WORD('s', 'e', 's', 's', 'i', 'o', 'n', '-') ||
	       name[0] == WORD('i', 'n', 'i', 't', '.', 's', 'c', 'o');
}

/* Not static, so that it is verified once. */
__noinline int is_host_cgroup(__u64 from)
{
	struct kernfs_node *node = BPF_CORE_READ((struct cgroup *)from, kn);

	for (int i = 0; i < CGROUP_LEVELS && node; i++) {
		struct kernfs_node *parent = parent_of(node);

		if (parent && !is_host_name(BPF_CORE_READ(node, name)))
			return 0;
		node = parent;
	}
	return !node;
}

/* Whether no cgroup of a task names a container, as far as its names tell at a glance: none of those that say what
 * container a process is in (`crates/state/src/cgroup.rs`) is long, or of another kind than services, slices and
 * sessions are. Not static, so that it is verified once. */
__noinline int is_on_host(__u64 from)
{
	struct task_struct *task = (void *)from;
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct cgroup *before = 0;

#pragma unroll
	for (int i = 0; i < HIERARCHIES; i++) {
		struct cgroup *one = hierarchy(set, i);

		if (one && one != before && !is_host_cgroup((__u64)one))
			return 0;
		if (one)
			before = one;
	}
	return 1;
}

static __always_inline void arguments_of(struct record *r, struct mm_struct *mm)
{
	__u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);

	user_bytes(r, (void *)start, end - start);
}

static __always_inline void environment_of(struct record *r, struct mm_struct *mm)
{
	__u64 start = BPF_CORE_READ(mm, env_start), end = BPF_CORE_READ(mm, env_end);

	user_bytes(r, (void *)start, end - start);
}

#endif
