/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Operations of io_uring, as the system calls they stand for: what was asked is taken when the kernel has read it, the
 * result when it is there. */
#ifndef EYAS_URING_H
#define EYAS_URING_H

#define PF_IO_WORKER 0x10
#define OPERATION_SIZE 2048
#define OPERATION_TEXT 512
#define OPERATIONS 1024

/* Kinds of operations (include/uapi/linux/io_uring.h). */
enum {
	RING_SENDMSG = 9,
	RING_RECVMSG = 10,
	RING_ACCEPT = 13,
	RING_CONNECT = 16,
	RING_OPENAT = 18,
	RING_CLOSE = 19,
	RING_SEND = 26,
	RING_RECV = 27,
	RING_OPENAT2 = 28,
	RING_SHUTDOWN = 34,
	RING_RENAMEAT = 35,
	RING_UNLINKAT = 36,
	RING_MKDIRAT = 37,
	RING_SYMLINKAT = 38,
	RING_LINKAT = 39,
	RING_SOCKET = 45,
	RING_LISTEN = 57,
};

/* A record whose result is not there yet. */
struct operation {
	__u8 bytes[OPERATION_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, OPERATIONS);
	__type(key, __u64);
	__type(value, struct operation);
} operations SEC(".maps");

/* ---- what was asked ---- */

static __always_inline void name_text(struct record *r, struct filename *name)
{
	long len = bpf_probe_read_kernel_str(blob(r), OPERATION_TEXT, BPF_CORE_READ(name, name));

	blob_end(r, len > 0 ? len : 0);
}

static __always_inline void opens(struct record *r, struct io_open *o, bool second)
{
	r->args[0] = BPF_CORE_READ(o, dfd);
	r->args[1] = (__u64)BPF_CORE_READ(o, filename, uptr);
	name_text(r, BPF_CORE_READ(o, filename));
	if (second) {
		bpf_core_read(blob(r), 24, &o->how);
		blob_end(r, 24);
	} else {
		r->args[2] = BPF_CORE_READ(o, how.flags);
		r->args[3] = BPF_CORE_READ(o, how.mode);
	}
}

static __always_inline void two_names(struct record *r, struct io_rename *o, __u32 flags_at)
{
	r->args[0] = BPF_CORE_READ(o, old_dfd);
	r->args[2] = BPF_CORE_READ(o, new_dfd);
	r->args[flags_at & 7 & 5] = BPF_CORE_READ(o, flags);
	name_text(r, BPF_CORE_READ(o, oldpath));
	name_text(r, BPF_CORE_READ(o, newpath));
}

/* Registers and blobs as the system call has them; false for operations that stand for none. */
static __always_inline bool asked(struct record *r, struct io_kiocb *req, __u8 opcode)
{
	void *command = req;

	r->args[0] = BPF_CORE_READ(req, cqe.fd);
	switch (opcode) {
	case RING_OPENAT:
	case RING_OPENAT2:
		opens(r, command, opcode == RING_OPENAT2);
		return 1;
	case RING_CLOSE:
		r->args[0] = BPF_CORE_READ((struct io_close *)command, fd);
		return 1;
	case RING_RENAMEAT:
	case RING_LINKAT:
		two_names(r, command, 4);
		return 1;
	case RING_UNLINKAT:
		r->args[0] = BPF_CORE_READ((struct io_unlink *)command, dfd);
		r->args[2] = BPF_CORE_READ((struct io_unlink *)command, flags);
		name_text(r, BPF_CORE_READ((struct io_unlink *)command, filename));
		return 1;
	case RING_MKDIRAT:
		r->args[0] = BPF_CORE_READ((struct io_mkdir *)command, dfd);
		r->args[2] = BPF_CORE_READ((struct io_mkdir *)command, mode);
		name_text(r, BPF_CORE_READ((struct io_mkdir *)command, filename));
		return 1;
	case RING_SYMLINKAT:
		r->args[1] = BPF_CORE_READ((struct io_link *)command, new_dfd);
		name_text(r, BPF_CORE_READ((struct io_link *)command, oldpath));
		name_text(r, BPF_CORE_READ((struct io_link *)command, newpath));
		return 1;
	case RING_CONNECT:
		user_bytes(r, BPF_CORE_READ((struct io_connect *)command, addr),
			   BPF_CORE_READ((struct io_connect *)command, addr_len) & 127);
		return 1;
	case RING_ACCEPT:
		r->args[3] = BPF_CORE_READ((struct io_accept *)command, flags);
		return 1;
	case RING_SOCKET:
		r->args[0] = BPF_CORE_READ((struct io_socket *)command, domain);
		r->args[1] = BPF_CORE_READ((struct io_socket *)command, type);
		r->args[2] = BPF_CORE_READ((struct io_socket *)command, protocol);
		return 1;
	case RING_SENDMSG:
	case RING_RECVMSG:
	case RING_SEND:
	case RING_RECV:
		r->args[1] = (__u64)BPF_CORE_READ((struct io_sr_msg *)command, buf);
		r->args[2] = BPF_CORE_READ((struct io_sr_msg *)command, len);
		return 1;
	case RING_SHUTDOWN:
	case RING_LISTEN:
		return 1;
	}
	return 0;
}

static __always_inline int submitted(struct io_kiocb *req)
{
	__u8 opcode = BPF_CORE_READ(req, opcode);
	__u16 nr = *(volatile __u16 *)&plan.ring[opcode & (RING_OPERATIONS - 1)];
	__u64 ids = bpf_get_current_pid_tgid(), key = (__u64)req;
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	if (nr >= SYSCALLS || !*(volatile __u8 *)&plan.recipe[nr & (SYSCALLS - 1)].on || ids >> 32 == own_pid)
		return 0;
	struct record *r = begin(nr, SLOT_RING);
	if (!r)
		return 0;
	r->flags = RECORD_RING;
	r->pid = ids >> 32;
	/* A worker of the ring is a thread that no program knows. */
	r->tid = BPF_CORE_READ(task, flags) & PF_IO_WORKER ? ids >> 32 : ids;
	for (int i = 0; i < 6; i++)
		r->args[i] = 0;
	if (asked(r, req, opcode))
		bpf_map_update_elem(&operations, &key, r, BPF_ANY);
	return 0;
}

/* ---- what came of it ---- */

/* Copies the blobs that were taken when the operation began; they are those of the first steps. */
static __always_inline bool kept_blobs(struct record *r, struct operation *done)
{
	__u64 len = ((struct record *)done)->size - sizeof(*r);

	if (!len || len > OPERATION_SIZE / 2 + sizeof(*r))
		return 0;
	bpf_probe_read_kernel((__u8 *)r + sizeof(*r), len, done->bytes + sizeof(*r));
	r->size = sizeof(*r) + len;
	return 1;
}

/* What the kernel knows of the file; the memory of the program is not looked at again. */
__noinline int ring_step(__u32 op, __u32 arg)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct record *r = scratch(SLOT_RING);

	if (!r)
		return 0;
	struct file *file = file_of(task, (__s32)argument(r, arg));

	switch (op) {
	case OP_FILE:
		file_facts(r, file);
		break;
	case OP_PATH:
		path_of(r, file);
		break;
	case OP_TUPLE:
		tuple(r, file);
		break;
	case OP_QUEUE:
		queue(r, file);
		break;
	default:
		blob_end(r, 0);
	}
	return 0;
}

static __always_inline int completed(void *req, __s32 result)
{
	__u64 key = (__u64)req;
	struct operation *done = bpf_map_lookup_elem(&operations, &key);

	if (!done)
		return 0;
	struct record *kept = (void *)done, *r = begin(kept->kind, SLOT_RING);
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct recipe *recipe = &plan.recipe[kept->kind & (SYSCALLS - 1)];
	__u32 steps = *(volatile __u8 *)&recipe->steps;
	if (!r)
		return 0;
	r->flags = RECORD_RING;
	r->pid = kept->pid;
	r->tid = kept->tid;
	r->ret = result;
	for (int i = 0; i < 6; i++)
		r->args[i] = kept->args[i];
	bool begun = kept_blobs(r, done);
	for (int i = 0; i < STEPS && i < steps; i++)
		if (!begun || recipe->step[i].op > OP_SIZED_AT)
			ring_step(recipe->step[i].op, recipe->step[i].arg);
	made(r, task, recipe->makes);
	send_call(r, recipe->class);
	bpf_map_delete_elem(&operations, &key);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(io_uring_submit_req, struct io_kiocb *req)
{
	return submitted(req);
}

/* Until 6.3 (2ad57931db64). */
SEC("tp_btf/io_uring_submit_sqe")
int BPF_PROG(io_uring_submit_sqe, struct io_kiocb *req)
{
	return submitted(req);
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(io_uring_complete, void *ring, void *req, struct io_uring_cqe *cqe)
{
	return completed(req, BPF_CORE_READ(cqe, res));
}

/* Until 6.14: the entry is taken apart. */
SEC("tp_btf/io_uring_complete")
int BPF_PROG(io_uring_complete_old, void *ring, void *req, __u64 user_data, int result)
{
	return completed(req, result);
}

#endif
