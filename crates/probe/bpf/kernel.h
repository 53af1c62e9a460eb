/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The parts of kernel structures that the probe reads; offsets are relocated at load (CO-RE).
 * A name with ___ is another age of the same structure; the kernel commit that changed it is named beside it. */
#ifndef EYAS_KERNEL_H
#define EYAS_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_ANY = 0,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
	BPF_RB_CONS_POS = 2,
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
};
/* Helpers that a kernel may lack. */
enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158,
	BPF_FUNC_task_pt_regs = 175,
};

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp, bx, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31];
};
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	__s32 syscallno;
};
#endif

struct list_head {
	struct list_head *next, *prev;
};
struct kuid {
	__u32 val;
};
struct qstr {
	__u32 len;
	const unsigned char *name;
};
struct super_block {
	__u32 s_dev;
	unsigned long s_flags, s_magic;
};
struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};
struct inode {
	__u16 i_mode;
	struct kuid i_uid, i_gid;
	unsigned int i_flags;
	unsigned long i_ino;
	struct super_block *i_sb;
	__s64 i_ctime_sec, i_mtime_sec;
	__u32 i_ctime_nsec, i_mtime_nsec;
};
/* Until 6.6 (13bc24457850, 12cd44023651) and until 6.11 (3aa63a569c64). */
struct inode___old {
	struct timespec64 i_ctime, i_mtime;
};
struct inode___mid {
	struct timespec64 __i_ctime, __i_mtime;
};
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};
struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};
struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_mode;
	void *private_data;
};
struct fs_struct {
	struct path root, pwd;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct percpu_counter {
	__s64 count;
};
/* Until 6.2 (f1a7941243c1); begins with an array of 64-bit counters. */
struct mm_rss_stat {
	int events;
};
struct mm_struct {
	unsigned long total_vm;
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
	struct percpu_counter rss_stat[4];
};
struct mm_struct___old {
	struct mm_rss_stat rss_stat;
};
/* One 64-bit value, or two of 32 bits before 6.3 (f122a08b197d): the same bytes. */
typedef struct {
	__u64 val;
} kernel_cap_t;
struct group_info {
	int ngroups;
	struct kuid gid[0];
};
struct user_namespace {
	int level;
};
struct cred {
	struct user_namespace *user_ns;
	struct kuid uid, gid, euid, egid, fsuid, fsgid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
	struct group_info *group_info;
};
struct pid_namespace {
	struct task_struct *child_reaper;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
struct rlimit {
	unsigned long rlim_cur;
};
struct tty_driver {
	int major, minor_start;
};
struct tty_struct {
	int index;
	struct tty_driver *driver;
};
struct signal_struct {
	struct list_head thread_head;
	struct pid *pids[4];
	struct tty_struct *tty;
	struct rlimit rlim[16];
	unsigned int is_child_subreaper : 1;
};
struct kernfs_node {
	struct kernfs_node *__parent;
	const char *name;
	__u64 id;
};
/* Until 6.15 (633488947ef6). */
struct kernfs_node___old {
	struct kernfs_node___old *parent;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
enum cgroup_subsys_id {
	cpuset_cgrp_id,
	cpu_cgrp_id,
	cpuacct_cgrp_id,
	io_cgrp_id,
	memory_cgrp_id,
	CGROUP_SUBSYS_COUNT = 12,
};
struct css_set {
	struct cgroup_subsys_state *subsys[CGROUP_SUBSYS_COUNT];
	struct cgroup *dfl_cgrp;
};
struct thread_info {
	unsigned long flags;
	__u32 status;
};
struct task_struct {
	struct thread_info thread_info;
	int pid, tgid;
	int exit_code;
	unsigned int flags;
	void *stack;
	struct task_struct *real_parent;
	struct list_head children;
	struct task_struct *group_leader;
	struct list_head thread_node;
	struct pid *thread_pid;
	struct fs_struct *fs;
	struct files_struct *files;
	struct mm_struct *mm;
	const struct cred *cred;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct kuid loginuid;
	unsigned long min_flt, maj_flt;
	__u64 start_boottime;
	char comm[16];
};
struct linux_binprm {
	const char *filename;
};
struct filename {
	const char *name, *uptr;
};
struct open_how {
	__u64 flags, mode, resolve;
};
struct io_cqe {
	int fd;
};
struct io_kiocb {
	__u8 opcode;
	struct io_cqe cqe;
};
struct io_uring_cqe {
	__s32 res;
};
/* Commands of operations: each stands at the beginning of its struct io_kiocb. */
struct io_open {
	int dfd;
	struct filename *filename;
	struct open_how how;
};
struct io_rename {
	int old_dfd, new_dfd;
	struct filename *oldpath, *newpath;
	int flags;
};
struct io_unlink {
	int dfd, flags;
	struct filename *filename;
};
struct io_mkdir {
	int dfd;
	__u16 mode;
	struct filename *filename;
};
struct io_link {
	int new_dfd;
	struct filename *oldpath, *newpath;
};
struct io_connect {
	void *addr;
	int addr_len;
};
struct io_accept {
	int flags;
};
struct io_socket {
	int domain, type, protocol;
};
struct io_close {
	int fd;
};
struct io_sr_msg {
	void *buf;
	int len;
};
struct in6_addr {
	__u8 in6_u[16];
};
struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	__u16 skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	__u32 sk_ack_backlog, sk_max_ack_backlog;
};
struct socket {
	struct sock *sk;
};
struct sockaddr_un {
	__u16 sun_family;
	char sun_path[108];
};
struct unix_address {
	int len;
	struct sockaddr_un name[0];
};
struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

#pragma clang attribute pop

#endif
