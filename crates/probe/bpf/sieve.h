/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Opens for reading that no rule can ask about are left out, and so are the closes that belong to them. */
#ifndef EYAS_SIEVE_H
#define EYAS_SIEVE_H

#define DESCRIPTORS 512
#define WORDS 24  /* of eight bytes: longer paths always matter */
#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
#define S_IFDIR 0040000

/* What is remembered of a process. A byte for each descriptor: threads change them without a lock. */
struct life {
	__u32 generation, named;
	union {
		__u8 skipped[DESCRIPTORS];
		__u64 all[DESCRIPTORS / 8];
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct life);
} lives SEC(".maps");

#define sieve_word(field) (*(volatile __u32 *)&plan.sieve.field)

/* ---- names ---- */

static __always_inline bool is_named(struct task_struct *task)
{
	__u32 names = sieve_word(names);
	struct name comm = {};

	BPF_CORE_READ_STR_INTO((char(*)[16])&comm, task, comm);
	for (int i = 0; i < NAMES && i < names; i++) {
		struct name *name = &plan.sieve.name[i];

		if (name->word[0] == comm.word[0] && name->word[1] == comm.word[1])
			return 1;
	}
	return 0;
}

static __always_inline void forget(struct life *life)
{
	for (int i = 0; i < DESCRIPTORS / 8; i++)
		life->all[i] = 0;
}

/* A program begins: by exec, or as a copy of its parent. */
static __always_inline void begins(struct task_struct *task)
{
	struct life *life;

	if (!sieve_word(on))
		return;
	life = bpf_task_storage_get(&lives, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!life)
		return;
	life->generation = plan_word(generation);
	life->named = is_named(task);
	forget(life);
}

/* A thread begins: its name counts for the process. */
static __always_inline void joins(struct task_struct *thread)
{
	struct life *life;

	if (!sieve_word(on) || !is_named(thread))
		return;
	life = bpf_task_storage_get(&lives, thread->group_leader, 0, 0);
	if (life)
		life->named = 1;
}

/* ---- paths ---- */

/* The highest bit of each byte that is `byte`; bytes above such a one may be marked wrongly. */
static __always_inline __u64 marks(__u64 word, __u64 byte)
{
	__u64 same = word ^ byte * ONES;

	return (same - ONES) & ~same & HIGHS;
}

/* Whether the path has a component that begins with a dot, or an empty one: then it may lead elsewhere. */
static __always_inline bool is_odd(const __u64 *path, __u64 len)
{
	__u64 before = 0;

	if (len > 8 * WORDS)
		return 1;
	for (int i = 0; i < WORDS && 8 * i < len; i++) {
		__u64 word = path[i], slashes = marks(word, '/');

		if ((slashes << 8 | before) & (slashes | marks(word, '.')))
			return 1;
		before = slashes >> 56;
	}
	return 0;
}

static __always_inline bool begins_so(__u64 head)
{
	__u32 prefixes = sieve_word(prefixes);

	for (int i = 0; i < PREFIXES && i < prefixes; i++) {
		struct part *prefix = &plan.sieve.prefix[i];

		if ((head & prefix->mask) == prefix->value)
			return 1;
	}
	return 0;
}

/* Whether the path of so many characters, one at least, ends in a way that matters; a slash there leads elsewhere. */
static __always_inline bool ends_so(const __u64 *path, __u64 len)
{
	__u32 suffixes = sieve_word(suffixes);
	__u64 tail;

	if (len < 8)
		tail = path[0] << 8 * (8 - len);
	else
		bpf_probe_read_kernel(&tail, sizeof(tail), (const __u8 *)path + ((len - 8) & 255));
	if (tail >> 56 == '/')
		return 1;
	for (int i = 0; i < SUFFIXES && i < suffixes; i++) {
		struct part *suffix = &plan.sieve.suffix[i];

		if ((tail & suffix->mask) == suffix->value)
			return 1;
	}
	return 0;
}

/* ---- tests ---- */

static __always_inline bool is_directory(struct file *file)
{
	struct inode *inode = file ? FIELD(struct file, file, f_inode) : 0;

	return !inode || (FIELD(struct inode, inode, i_mode) & S_IFMT) == S_IFDIR;
}

/* Reads the path behind the record, where the first step will put it again when it matters. */
static __always_inline bool path_matters(struct record *r, const void *from)
{
	__u64 *path = (void *)r + sizeof(*r) + 8;

	path[0] = 0;
	long len = bpf_probe_read_user_str(path, 8 * WORDS + 8, from);
	if (len <= 1 || (path[0] & 0xff) != '/')
		return 1;
	__u64 rest = len & 7;
	if (rest && len < 8 * WORDS)
		path[(len >> 3) & 31] &= (1ull << 8 * rest) - 1;
	return is_odd(path, len) || begins_so(path[0]) || ends_so(path, len - 1);
}

static __always_inline bool open_matters(struct record *r, struct task_struct *task, __u32 arg, __u64 flags, __u64 mask)
{
	if (!sieve_word(on) || flags & mask)
		return 1;
	if (path_matters(r, (void *)r->args[arg & 1]))
		return 1;
	if (r->ret < 0)
		return sieve_word(failures);
	if (is_directory(file_of(task, r->ret)))
		return 1;
	struct life *life = bpf_task_storage_get(&lives, task->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!life || r->ret >= DESCRIPTORS)
		return 1;
	if (sieve_word(names) && (life->generation != plan_word(generation) || life->named))
		return 1;
	life->skipped[r->ret & (DESCRIPTORS - 1)] = 1;
	return 0;
}

/* Whether a descriptor was known; it is not skipped any more. */
static __always_inline bool was_known(struct task_struct *task, __s64 fd)
{
	if (!sieve_word(on) || fd < 0 || fd >= DESCRIPTORS)
		return 1;
	struct life *life = bpf_task_storage_get(&lives, task->group_leader, 0, 0);
	if (!life)
		return 1;
	__u8 *skipped = &life->skipped[fd & (DESCRIPTORS - 1)];
	bool known = !*skipped;
	*skipped = 0;
	return known;
}

/* Descriptors that a call has made are known, whatever they were before. */
static __always_inline void made(struct record *r, struct task_struct *task, __u32 makes)
{
	if (makes == MAKES_RESULT) {
		was_known(task, r->ret);
	} else if (makes == MAKES_PAIR) {
		struct pair *pair = (void *)r + sizeof(*r) + 2;

		was_known(task, pair->fd[0]);
		was_known(task, pair->fd[1]);
	} else if (makes == FORGETS_ALL && sieve_word(on)) {
		struct life *life = bpf_task_storage_get(&lives, task->group_leader, 0, 0);

		if (life)
			forget(life);
	}
}

#endif
