/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* System calls at their exit: the plan says which, what each sends, and which tests it must pass. */
#ifndef EYAS_CALLS_H
#define EYAS_CALLS_H

#define TS_COMPAT 2
#define COMPAT_SOCKETCALL 102
#define NO_NUMBER 0xffff
#define VECTORS 8
#define STRINGS 16
/* Size of a message head, 64-bit and 32-bit. */
#define MESSAGE 56
#define COMPAT_MESSAGE 28
/* Messages of a vector, and descriptors that are waited for. */
#define MESSAGES 8
#define POLLED 16
#define EINPROGRESS 115

/* ---- arguments ---- */

#if defined(__TARGET_ARCH_x86)
#define regs_number(regs, get) get(regs, orig_ax)

#define is_compat(task, get) (get(task, thread_info.status) & TS_COMPAT)

#define RESULT(regs) DIRECT(regs, ax)
#define FIRST(regs, get) get(regs, di)
#define SECOND(regs, get) get(regs, si)
#define THIRD(regs, get) get(regs, dx)

#define ARGUMENTS(r, regs, get) \
	do { \
		(r)->args[0] = get(regs, di); \
		(r)->args[1] = get(regs, si); \
		(r)->args[2] = get(regs, dx); \
		(r)->args[3] = get(regs, r10); \
		(r)->args[4] = get(regs, r8); \
		(r)->args[5] = get(regs, r9); \
	} while (0)

static __always_inline void compat_arguments(struct record *r, struct pt_regs *regs)
{
	r->args[0] = (__u32)BPF_CORE_READ(regs, bx);
	r->args[1] = (__u32)BPF_CORE_READ(regs, cx);
	r->args[2] = (__u32)BPF_CORE_READ(regs, dx);
	r->args[3] = (__u32)BPF_CORE_READ(regs, si);
	r->args[4] = (__u32)BPF_CORE_READ(regs, di);
	r->args[5] = (__u32)BPF_CORE_READ(regs, bp);
}
#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT 22
#define regs_number(regs, get) get(regs, syscallno)

#define is_compat(task, get) (get(task, thread_info.flags) & (1ul << TIF_32BIT))

#define RESULT(regs) DIRECT(regs, regs[0])
#define FIRST(regs, get) get(regs, orig_x0)
#define SECOND(regs, get) get(regs, regs[1])
#define THIRD(regs, get) get(regs, regs[2])

#define ARGUMENTS(r, regs, get) \
	do { \
		(r)->args[0] = get(regs, orig_x0); \
		(r)->args[1] = get(regs, regs[1]); \
		(r)->args[2] = get(regs, regs[2]); \
		(r)->args[3] = get(regs, regs[3]); \
		(r)->args[4] = get(regs, regs[4]); \
		(r)->args[5] = get(regs, regs[5]); \
	} while (0)

static __always_inline void compat_arguments(struct record *r, struct pt_regs *regs)
{
	ARGUMENTS(r, regs, BPF_CORE_READ);
}
#endif

/* socketcall(2) of 32-bit callers: the call and its arguments stand in memory. */
static __always_inline __u16 socketcall(struct record *r)
{
	__u32 word[6] = {};
	__u64 number = r->args[0] & 31;

	bpf_probe_read_user(word, sizeof(word), (void *)r->args[1]);
	for (int i = 0; i < 6; i++)
		r->args[i] = word[i];
	return *(volatile __u16 *)&plan.socketcall[number];
}

/* ---- tests ---- */

static __always_inline __u64 argument(struct record *r, __u32 arg)
{
	return arg < 6 ? r->args[arg & 7] : (__u64)r->ret;
}

static __always_inline bool family_in(struct task_struct *task, __s32 fd, __u64 mask)
{
	struct sock *sk = sock_of(file_of(task, fd));
	__u16 family = sk ? FIELD(struct sock, sk, __sk_common.skc_family) : 0;

	return mask >> (family & 63) & 1;
}

/* What an argument of 64 bits has above 32 is not looked at: the kernel cuts most of them, and more is sent at worst. */
static __always_inline bool is_among(const struct test *test, __u32 value)
{
	for (int i = 0; i < NUMBERS && i < test->value; i++)
		if (test->word[i] == value)
			return 1;
	return 0;
}

static __always_inline bool has_port(const struct test *test, __u16 port)
{
	const __u16 *ports = (const void *)test->word;

	for (int i = 0; i < PORTS; i++)
		if (ports[i] == port)
			return port;
	return 0;
}

/* Port of the address that a call names. */
static __always_inline __u16 said_port(struct record *r, __u32 place)
{
	__u64 from = argument(r, place);
	struct message m;
	__u16 word[2] = {};

	if (place == ADDRESS_IN_MESSAGE) {
		message_of(&m, (void *)r->args[1], r->flags & RECORD_COMPAT);
		from = m.name;
	}
	if (from && place && place != NO_PEER)
		bpf_probe_read_user(word, sizeof(word), (void *)from);
	return __builtin_bswap16(word[1]);
}

/* What failed leaves the ports of before; a side that is not known may be any. */
static __always_inline bool has_ports(struct record *r, struct task_struct *task, const struct test *test)
{
	struct sock *sk = sock_of(file_of(task, (__s32)argument(r, test->arg)));
	__u16 own = sk ? FIELD(struct sock, sk, __sk_common.skc_num) : 0;
	__u16 to = sk ? __builtin_bswap16(FIELD(struct sock, sk, __sk_common.skc_dport)) : 0;
	__u16 said = said_port(r, test->value);

	if ((r->ret < 0 && r->ret != -EINPROGRESS) || !own || (!to && !said && test->value != NO_PEER))
		return 1;
	return has_port(test, own) || has_port(test, to) || has_port(test, said);
}

/* Inside a user namespace a program's numbers of users are not the kernel's. */
static __always_inline bool has_user(struct task_struct *task, const struct test *test, bool other)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	__u32 user = BPF_CORE_READ(cred, euid.val);

	return BPF_CORE_READ(cred, user_ns, level) > 0 || (other ? user != test->word[0] : is_among(test, user));
}

/* Of a process that began under another plan nothing is known. */
static __always_inline bool lives_so(struct task_struct *task, const struct test *test, bool contained)
{
	struct life *life = bpf_task_storage_get(&lives, task->group_leader, 0, 0);

	if (!life || life->generation != plan_word(generation))
		return 1;
	return contained ? !life->on_host : (life->named | called(plain(task))) & test->word[0];
}

static __always_inline bool holds(struct record *r, struct task_struct *task, const struct test *test)
{
	__u64 value = argument(r, test->arg), mask = test->word[1] | (__u64)test->word[2] << 32;
	__u32 kind = test->kind & (TEST_OR - 1);

	switch (kind) {
	case TEST_RESULT:
		return test->value == 0 ? r->ret >= 0 : test->value == 1 ? r->ret < 0 : r->ret != 0;
	case TEST_ANY_BIT:
		return value & mask;
	case TEST_NO_BIT:
		return !(value & mask);
	case TEST_IN_BITS:
		value &= test->word[0] ? test->word[0] : ~0u;
		return value == test->value || (value < 64 && mask >> (value & 63) & 1);
	case TEST_FAMILY:
		return family_in(task, value, mask);
	case TEST_NUMBERS:
		return is_among(test, value);
	case TEST_PORTS:
		return has_ports(r, task, test);
	case TEST_USER:
	case TEST_OTHER_USER:
		return has_user(task, test, kind == TEST_OTHER_USER);
	case TEST_NAMES:
	case TEST_CONTAINED:
		return lives_so(task, test, kind == TEST_CONTAINED);
	}
	return 1;
}

/* Whether the tests of a call fail. Like `step` it is verified once, and given numbers only. */
__noinline int fails(__u32 nr)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct recipe *recipe = &plan.recipe[nr & (SYSCALLS - 1)];
	__u32 tests = *(volatile __u8 *)&recipe->tests;
	struct record *r = scratch(SLOT_CALL);
	bool held = 0;

	for (int i = 0; r && i < TESTS && i < tests; i++) {
		held |= holds(r, task, &recipe->test[i]);
		if (recipe->test[i].kind & TEST_OR)
			continue;
		if (!held)
			return 1;
		held = 0;
	}
	return 0;
}

/* ---- steps ---- */

/* How much of a buffer is kept: what was moved, or what was asked when it failed. */
static __always_inline __u64 kept(struct record *r, __u64 asked)
{
	__u64 len = r->ret >= 0 ? r->ret : asked, most = plan_word(data);

	return len < most ? len : most;
}

static __always_inline void vector(struct record *r, __u64 from, __u64 count, __s64 moved)
{
	bool compat = r->flags & RECORD_COMPAT;
	__u64 left = plan_word(data), width = compat ? 4 : 8;
	__u32 at = parts_begin(r);

	if (moved >= 0 && moved < left)
		left = moved;
	for (int i = 0; i < VECTORS && i < count; i++) {
		__u64 base = user_word((void *)(from + 2 * i * width), compat);
		__u64 size = user_word((void *)(from + (2 * i + 1) * width), compat);
		__u32 have = parts_size(r, at);

		if (have >= left)
			break;
		if (size > left - have)
			size = left - have;
		if (size > MAX_TEXT || bpf_probe_read_user(part(r), size & (MAX_TEXT - 1), (void *)base) != 0)
			break;
		part_end(r, size & (MAX_TEXT - 1));
	}
	parts_end(r, at);
}

/* `many` is set when the head is the first of a vector of messages, each with its own length behind it. */
static __always_inline void message_part(struct record *r, __u32 op, const void *from, bool many)
{
	bool compat = r->flags & RECORD_COMPAT;
	struct message m;
	__u32 moved = 0;

	message_of(&m, from, compat);
	if (many)
		bpf_probe_read_user(&moved, sizeof(moved), from + (compat ? COMPAT_MESSAGE : MESSAGE));
	if (op == OP_MESSAGE)
		user_bytes(r, (void *)m.name, m.name_len & 127);
	else if (op == OP_MESSAGE_CONTROL)
		user_bytes(r, (void *)m.control, r->ret < 0 ? 0 : m.controls);
	else
		vector(r, m.vector, m.vectors, many && r->ret > 0 ? moved : r->ret);
}

/* Strings of an array of pointers that ends with a null pointer, one after another with their NULs. */
static __always_inline void strings(struct record *r, __u64 from)
{
	bool compat = r->flags & RECORD_COMPAT;
	__u32 at = parts_begin(r);

	for (int i = 0; i < STRINGS; i++) {
		__u64 one = user_word((void *)(from + i * (compat ? 4 : 8)), compat);

		if (!one || parts_size(r, at) >= MAX_TEXT)
			break;
		long n = bpf_probe_read_user_str(part(r), MAX_TEXT, (void *)one);
		if (n <= 0)
			break;
		part_end(r, n);
	}
	parts_end(r, at);
}

/* One step of a recipe. A function that is not static is verified once, not at every place that calls it; it is given
 * numbers only, for old kernels know nothing else. */
__noinline int step(__u32 op, __u32 arg, __u32 len)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct record *r = scratch(SLOT_CALL);

	if (!r)
		return 0;
	__u64 value = argument(r, arg);
	struct file *file = 0;
	__u32 size = 0;

	if (op >= OP_FILE && op <= OP_QUEUE)
		file = file_of(task, (__s32)value);
	else if (op == OP_PROGRAM)
		file = BPF_CORE_READ(task, mm, exe_file);
	switch (op) {
	case OP_TEXT:
		user_text(r, (void *)value);
		break;
	case OP_BYTES:
		user_bytes(r, (void *)value, len);
		break;
	case OP_SIZED:
		user_bytes(r, (void *)value, argument(r, len));
		break;
	case OP_SIZED_AT:
		bpf_probe_read_user(&size, sizeof(size), (void *)argument(r, len));
		user_bytes(r, (void *)value, size);
		break;
	case OP_DATA:
		user_bytes(r, (void *)value, kept(r, argument(r, arg + 1)));
		break;
	case OP_VECTOR:
		vector(r, value, argument(r, arg + 1), r->ret);
		break;
	case OP_MESSAGE:
	case OP_MESSAGE_DATA:
	case OP_MESSAGE_CONTROL:
		message_part(r, op, (void *)value, len);
		break;
	case OP_FILE:
		file_facts(r, file);
		break;
	case OP_PATH:
	case OP_PROGRAM:
		path_of(r, file);
		break;
	case OP_TUPLE:
		tuple(r, file);
		break;
	case OP_QUEUE:
		queue(r, file);
		break;
	case OP_PAIR:
		pair_of(r, task, (void *)value);
		break;
	case OP_PROCESS:
		process_of(r, task);
		break;
	case OP_STRINGS:
		strings(r, value);
		break;
	case OP_ARGUMENTS:
		arguments_of(r, BPF_CORE_READ(task, mm));
		break;
	case OP_ENVIRONMENT:
		environment_of(r, BPF_CORE_READ(task, mm));
		break;
	case OP_CGROUPS:
		cgroups_of(r, task);
		break;
	case OP_POLLED:
		size = argument(r, arg + 1);
		user_bytes(r, (void *)value, (size < POLLED ? size : POLLED) * 8);
		break;
	case OP_BASE:
		base_of(r, task, (__s32)value, len);
		break;
	}
	return 0;
}

/* The messages of a vector behind the first, each an event. */
__noinline int other_messages(void)
{
	struct record *r = scratch(SLOT_CALL);

	if (!r)
		return 0;
	struct recipe *recipe = &plan.recipe[r->kind & (SYSCALLS - 1)];
	__u32 steps = *(volatile __u8 *)&recipe->steps;
	for (int n = 1; n < MESSAGES && n < r->ret; n++) {
		r->args[1] += r->flags & RECORD_COMPAT ? COMPAT_MESSAGE + 4 : MESSAGE + 8;
		r->size = sizeof(*r);
		for (int i = 0; i < STEPS && i < steps; i++)
			step(recipe->step[i].op, recipe->step[i].arg, recipe->step[i].len);
		send_call(r, recipe->class);
	}
	return 0;
}

/* ---- the program ---- */

/* `direct` tells whether the registers may be loaded from, as the rung of hooks has it. */
static __always_inline int call(struct pt_regs *regs, __u64 nr, long ret, bool direct)
{
	__u64 ids = bpf_get_current_pid_tgid();
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	bool compat = is_compat(task, DIRECT);

	barrier_var(nr);
	if (ids >> 32 == own_pid) {
		note_root(task);
		return 0;
	}
	struct record *r = blank(nr, SLOT_CALL);
	if (!r)
		return 0;
	r->pid = ids >> 32;
	r->tid = ids;
	r->ret = ret;
	if (compat) {
		r->flags = RECORD_COMPAT;
		r->ret = (__s32)ret;
		compat_arguments(r, regs);
		nr = nr == COMPAT_SOCKETCALL ? socketcall(r) : *(volatile __u16 *)&plan.compat[nr & (SYSCALLS - 1)];
		if (nr >= SYSCALLS)
			return 0;
		r->kind = nr;
	} else if (direct) {
		ARGUMENTS(r, regs, DIRECT);
	} else {
		ARGUMENTS(r, regs, BPF_CORE_READ);
	}
	struct recipe *recipe = &plan.recipe[nr & (SYSCALLS - 1)];
	__u32 steps = *(volatile __u8 *)&recipe->steps;
	if (!(*(volatile __u8 *)&recipe->on) || (*(volatile __u8 *)&recipe->tests && fails(nr)))
		return 0;
	r->ts = bpf_ktime_get_boot_ns();
	for (int i = 0; i < STEPS && i < steps; i++)
		step(recipe->step[i].op, recipe->step[i].arg, recipe->step[i].len);
	made(r, task, recipe->makes);
	send_call(r, recipe->class);
	if (recipe->makes == MAKES_MESSAGES)
		other_messages();
	return 0;
}

static __always_inline __u8 wanted(__u64 nr)
{
	if (nr >= SYSCALLS)
		return NOT_WANTED;
	/* Old verifiers lose the bound of a number that was put aside. */
	barrier_var(nr);
	return *(volatile __u8 *)&plan.wanted[nr & (SYSCALLS - 1)];
}

/* Whether the sieve has the last word on a call; nothing is written before it is asked. */
#define IS_SIEVED(kind, regs, ret, get) \
	({ \
		struct task_struct *task = (void *)bpf_get_current_task_btf(); \
		kind >= SIEVED_OPEN && !(is_compat(task, DIRECT)) && \
			is_left_out(task, kind, FIRST(regs, get), SECOND(regs, get), THIRD(regs, get), ret); \
	})

static __always_inline int ended(struct pt_regs *regs, long ret)
{
	__u64 nr = regs_number(regs, DIRECT);
	__u8 kind = wanted(nr);

	if (kind == NOT_WANTED || IS_SIEVED(kind, regs, ret, DIRECT))
		return 0;
	return call(regs, nr, ret, 1);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	return ended(regs, ret);
}

SEC("raw_tp/sys_exit")
int raw_sys_exit(struct bpf_raw_tracepoint_args *context)
{
	struct pt_regs *regs = (void *)context->args[0];
	__u64 nr = regs_number(regs, BPF_CORE_READ);
	__u8 kind = wanted(nr);

	if (kind == NOT_WANTED || IS_SIEVED(kind, regs, context->args[1], BPF_CORE_READ))
		return 0;
	return call(regs, nr, context->args[1], 0);
}

#endif
