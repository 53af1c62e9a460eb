/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Opens for reading that no rule can ask about are left out, and so are the closes that belong to them. What is here
 * runs at every open and close of the machine: it looks nothing up, and copies the path only. */
#ifndef EYAS_SIEVE_H
#define EYAS_SIEVE_H

#define DESCRIPTORS 512  /* opens that give a higher number always matter */
#define MARKS 32768
#define SEATS 4096
#define WORDS 24  /* of eight bytes: longer paths always matter */
#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
#define S_IFDIR 0040000

/* What is remembered of a process under a plan: a bit for each name that it, or a thread of it, began with, and whether
 * it is surely outside of containers. */
struct life {
	__u32 generation, named, on_host;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct life);
} lives SEC(".maps");

/* Descriptors whose opens were left out, and processes whose names do not matter. Each entry says whose it is; whoever
 * comes to the same place takes it over, and the loser's next close or open is sent, which does no harm. */
__u64 marks[MARKS];
__u64 nameless[SEATS];

#define sieve_word(field) (*(volatile __u32 *)&plan.sieve.field)

/* ---- processes ---- */

/* A process, so that a number that is used again is told apart; ten bits are free. */
static __always_inline __u64 identity(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;

	return leader->start_boottime << 32 | (__u32)task->tgid << 10;
}

static __always_inline __u64 *seat_of(__u64 identity)
{
	return &nameless[identity >> 10 & (SEATS - 1)];
}

static __always_inline __u64 *mark_of(__u64 identity, __u32 fd)
{
	return &marks[((identity >> 10 & 0x3fffff) * 61 + fd) & (MARKS - 1)];
}

/* Whether the open of a descriptor was left out; it counts as known from now on. */
static __always_inline bool unmark(__u64 identity, __s32 fd)
{
	if (fd < 0 || fd >= DESCRIPTORS)
		return 0;
	__u64 *mark = mark_of(identity, fd);
	if (*mark != (identity | fd))
		return 0;
	*mark = 0;
	return 1;
}

__noinline int unmark_all(__u64 identity)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		unmark(identity, fd);
	return 0;
}

/* ---- names ---- */

/* A bit for each name of the plan that a task has. Not static, so that it is verified once. */
__noinline int called(__u64 from)
{
	struct task_struct *task = (void *)from;
	__u32 names = plan_word(names), found = 0;
	struct name comm = {};

	BPF_CORE_READ_STR_INTO((char(*)[16])&comm, task, comm);
	for (int i = 0; i < NAMES && i < names; i++) {
		struct name *name = &plan.name[i];

		if (name->word[0] == comm.word[0] && name->word[1] == comm.word[1])
			found |= 1u << i;
	}
	return found;
}

/* A program begins: by exec, or as a copy of its parent. */
static __always_inline void begins(struct task_struct *task)
{
	struct life *life;

	if (!plan_word(names) && !plan_word(places))
		return;
	life = bpf_task_storage_get(&lives, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!life)
		return;
	life->generation = plan_word(generation);
	life->named = called(plain(task));
	life->on_host = plan_word(places) && is_on_host(plain(task));
	*seat_of(identity(task)) = 0;
}

/* A thread begins: its name counts for the process. */
static __always_inline void joins(struct task_struct *thread)
{
	__u32 names = plan_word(names) ? called(plain(thread)) : 0;
	struct life *life;

	if (!names)
		return;
	life = bpf_task_storage_get(&lives, thread->group_leader, 0, 0);
	if (!life)
		return;
	life->named |= names;
	*seat_of(identity(thread)) = 0;
}

/* Whether it is known that the names of a process do not matter under the plan of now. */
static __always_inline bool is_nameless(struct task_struct *task, __u64 identity)
{
	__u32 generation = plan_word(generation);
	__u64 *seat = seat_of(identity), entry = identity | (generation & 1023);
	__u32 names = sieve_word(names);

	if (*seat == entry)
		return 1;
	struct life *life = bpf_task_storage_get(&lives, task->group_leader, 0, 0);
	if (!life || life->generation != generation || life->named & names)
		return 0;
	*seat = entry;
	/* A thread that has joined meanwhile may have found the seat empty. */
	if (!(*(volatile __u32 *)&life->named & names))
		return 1;
	*seat = 0;
	return 0;
}

/* ---- paths ---- */

/* The highest bit of each byte that is `byte`; bytes above such a one may be marked wrongly. */
static __always_inline __u64 found(__u64 word, __u64 byte)
{
	__u64 same = word ^ byte * ONES;

	return (same - ONES) & ~same & HIGHS;
}

/* Beginnings that fit, a bit each: every byte leaves those that have it there. The first is a slash in all. */
static __always_inline __u32 begins_so(__u64 head)
{
	__u32 fits = ~0;

#pragma unroll
	for (int i = 1; i < PART; i++) {
		fits &= plan.sieve.begin[i][head >> 8 * i & 255];
		if (!fits)
			break;
	}
	return fits;
}

/* Ends that fit, from the last byte back. */
#define ENDS_SO(table, tail) \
	({ \
		__u32 fits = ~0; \
		_Pragma("unroll") for (int i = 0; i < PART; i++) \
		{ \
			fits &= plan.sieve.table[i][(tail) >> 8 * (PART - 1 - i) & 255]; \
			if (!fits) \
				break; \
		} \
		fits; \
	})

/* Whether a rule may ask about the path, or it may lead elsewhere: it is relative, ends with a slash, or a component
 * begins with a dot or is empty. A function of its own, so that its stack is not that of what comes after. */
__noinline int path_matters(__u64 from)
{
	__u64 path[WORDS], before = 0, last = 0, word = 0;
	long len = bpf_probe_read_user_str(path, sizeof(path), (void *)from);

	if (len <= 1 || len >= sizeof(path) || (path[0] & 255) != '/')
		return 1;
	for (int i = 0; i < WORDS; i++) {
		if (8 * i >= len)
			break;
		last = word;
		word = path[i];
		if (len < 8 * i + 8)
			word &= (1ull << 8 * (len & 7)) - 1;
		if (i == 0 && begins_so(word))
			return 1;
		__u64 slashes = found(word, '/');
		if ((slashes << 8 | before) & (slashes | found(word, '.')))
			return 1;
		before = slashes >> 56;
	}
	/* The last word holds what is left of the characters, none when they fill those before it. */
	__u32 left = (len - 1) & 7;
	__u64 tail = left ? last >> 8 * left | word << (64 - 8 * left) : last;
	return tail >> 56 == '/' || ENDS_SO(end, tail);
}

/* ---- calls ---- */

/* What a call has just opened. Its place in the table is there, and a load through a null pointer gives zero: nothing is
 * checked on the way. */
static __always_inline struct file *opened_file(struct task_struct *task, __u64 fd)
{
	struct files_struct *files = FIELD(struct task_struct, task, files);
	struct fdtable *table = FIELD(struct files_struct, files, fdt);
	struct list_head *place = (void *)(FIELD(struct fdtable, table, fd) + fd);

	return (void *)FIELD(struct list_head, place, next);
}

/* Whether a file is a folder, or nothing is known of it. */
static __always_inline bool is_directory(struct file *file)
{
	struct inode *inode = FIELD(struct file, file, f_inode);
	__u16 type = FIELD(struct inode, inode, i_mode) & S_IFMT;

	return !type || type == S_IFDIR;
}

/* Whether a rule may ask about the name that a file has in its own folder, whatever path led there. */
static __always_inline bool is_found(struct file *file)
{
	struct dentry *dentry = FIELD(struct file, file, f_path.dentry);
	const unsigned char *name = FIELD(struct dentry, dentry, d_name.name);
	__u32 len = FIELD(struct dentry, dentry, d_name.len);
	__u64 tail = 0;

	if (!len)
		return 1;
	/* There is room for eight bytes where a shorter name stands. */
	bpf_probe_read_kernel(&tail, sizeof(tail), name + (len > PART ? len - PART : 0));
	if (len < PART)
		tail = (tail << 8 | '/') << 8 * (PART - 1 - len & 7);
	return ENDS_SO(found, tail);
}

static __always_inline bool open_matters(struct task_struct *task, __u64 path, __u64 flags, long ret)
{
	if (!sieve_word(on) || flags & sieve_word(writing) || path_matters(path))
		return 1;
	if (ret < 0)
		return sieve_word(failures);
	struct file *file = opened_file(task, ret);
	if (ret >= DESCRIPTORS || is_directory(file) || (sieve_word(finds) && is_found(file)))
		return 1;
	__u64 self = identity(task);
	if (sieve_word(names) && !is_nameless(task, self))
		return 1;
	*mark_of(self, ret) = self | ret;
	return 0;
}

/* Whether a call of a sieved kind, with its first arguments, need not be sent. */
static __always_inline bool is_left_out(struct task_struct *task, __u8 kind, __u64 first, __u64 second, __u64 third,
					long ret)
{
	if (kind == SIEVED_CLOSE)
		return sieve_word(on) && unmark(identity(task), first);
	if (kind == SIEVED_OPENAT2)
		third = user_word((void *)third, 0);
	if (kind == SIEVED_OPEN)
		third = second, second = first;
	return !open_matters(task, second, third, ret);
}

/* Descriptors that a call has made are known, whatever they were before. */
static __always_inline void made(struct record *r, struct task_struct *task, __u32 makes)
{
	if (makes == MAKES_RESULT) {
		unmark(identity(task), r->ret);
	} else if (makes == MAKES_PAIR) {
		struct pair *pair = (void *)r + sizeof(*r) + 2;

		unmark(identity(task), pair->fd[0]);
		unmark(identity(task), pair->fd[1]);
	} else if (makes == FORGETS_ALL) {
		unmark_all(identity(task));
	}
}

#endif
